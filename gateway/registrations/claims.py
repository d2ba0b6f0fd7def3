"""Registration by the owner: serial and claim code come in; the unit is theirs from now on, or nothing is learnt.

A wrong serial, a wrong code and a unit that is owned already cost the same queries and the same number of compared
codes, and are one answer. What was tried is noted first, and stays noted when it was wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.errors import GatewayError, NotFound
from gateway.core.serial import canonical_serial
from gateway.events import append
from gateway.registrations.codes import SALT_BYTES, canonical_code, hash_code, is_code
from gateway.registrations.repository import queries
from gateway.store import Connection, Row
from gateway.store.attempts import Limit, free_at, note, spend, take_back, tally

COMPARED = 8
"""Codes compared in each try. A serial that more products share is only looked up with its product."""
SPARED = 3
"""Wrong tries of an account, within the window, that the limit of its network does not stop: others spend that one."""
_UNIT = "claim-unit"


class ClaimRefused(GatewayError):
    """The serial is not known, the code is wrong, or somebody owns the unit: which of them is not told."""

    code = "claim_refused"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            "These do not register a product. Compare serial and code with what is printed;"
            " a product that has an owner must be given up by them first."
        )


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who registers, and from which network."""

    person_id: int
    public_id: str
    network: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How many wrong tries there may be within the window. Each stops only who made them.

    `per_unit` is for one account at one serial. So many of all accounts together stop nobody; the owner is told.
    """

    per_unit: int
    per_account: int
    per_network: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Claimed:
    """The unit with this public id is the claimant's."""

    unit: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several products have this serial: which one is meant. Only told to who knows the code of one of them,

    unless they are more than are compared at once.
    """

    products: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to everything that is wrong; a value, so that the try stays noted when `tx` commits."""


Outcome = Claimed | Ambiguous | Refused


_NO_CODE = hash_code("", bytes(SALT_BYTES))
"""Stands in where there is nothing to compare; no canonical code is empty."""


def claim(
    tx: Connection, who: Claimant, serial: str, code: str, product: str | None, limits: Limits, now: datetime
) -> Outcome:
    """Register a unit for a person. Commit `tx` also when it was refused: else the try is not counted.

    Raises TooManyAttempts; and ValueError for what can be neither serial nor code, before anything is looked up.
    """
    tx.execute(queries.wait_briefly)
    canonical, typed = canonical_serial(serial), canonical_code(code)
    account = str(who.person_id)
    tries = [
        Limit("claim of unit by account", f"{canonical} {account}", limits.per_unit, limits.window),
        Limit("claim-account", account, limits.per_account, limits.window),
    ]
    network = Limit("claim-network", who.network, limits.per_network, limits.window)
    spend(tx, tries, shared=[network], spared=Limit("claim-account", account, SPARED, limits.window))
    tried = tally(tx, _UNIT, canonical, limits.window)
    rows = tx.execute(queries.claimable, {"serial": canonical, "product": product}).fetchall()
    owners = _owners(tx, [row["unit_id"] for row in rows], now)
    notices_limit = Limit("owner told of claims", canonical, 1, limits.window)
    to_be_told = free_at(tx, notices_limit) is None and tried >= limits.per_unit
    right = _right(rows, typed, owners, who)
    if product is None and len(rows) > COMPARED:
        return _which(rows)
    if not right:
        if to_be_told:
            note(tx, notices_limit.kind, notices_limit.key)
            _tell_owners(tx, rows, owners, tried)
        return Refused()
    for kind, key in [(_UNIT, canonical), *((limit.kind, limit.key) for limit in [*tries, network])]:
        take_back(tx, kind, key)
    if product is None and len(rows) > 1:
        return _which(rows)
    (unit,) = right
    if unit["unit_id"] not in owners:  # else it is theirs already, and they asked twice
        tx.execute(queries.begin_claimed, {"unit_id": unit["unit_id"], "person_id": who.person_id, "since": now})
        tx.execute(queries.spend_code, {"unit_id": unit["unit_id"], "at": now})
        data = {"product": unit["product"], "serial": unit["printed"]}
        append(tx, "unit.claimed", data, actor=who.public_id, unit_id=unit["unit_id"], person_id=who.person_id)
    return Claimed(unit["id"])


def _owners(tx: Connection, unit_ids: list[int], now: datetime) -> dict[int, int]:
    """Who owns these units now, or will."""
    rows = tx.execute(queries.owners_from, {"unit_ids": unit_ids, "at": now})
    return {row["unit_id"]: row["person_id"] for row in rows}


def _right(rows: list[Row], typed: str, owners: dict[int, int], who: Claimant) -> list[Row]:
    """The units that the code registers for the claimant; always as many codes are compared, right ones or not.

    A code that is spent counts for the owner it was spent for, until they give the unit up.
    """
    digests = [row["code_hash"] or _NO_CODE for row in rows[:COMPARED]]
    answers = [is_code(typed, each) for each in digests + [_NO_CODE] * (COMPARED - len(digests))]
    return [
        row
        for row, answer in zip(rows, answers, strict=False)
        if answer
        and ((row["unit_id"] not in owners and row["spent_at"] is None) or owners.get(row["unit_id"]) == who.person_id)
    ]


def _which(rows: list[Row]) -> Ambiguous:
    return Ambiguous(tuple({"code": row["product"], "name": row["name"], "model": row["model"]} for row in rows))


def _tell_owners(tx: Connection, rows: Iterable[Row], owners: dict[int, int], tried: int) -> None:
    """A serial was tried often. Who has such a unit shall know; written also where nobody has."""
    data = {"attempts": tried}
    for unit_id in [row["unit_id"] for row in rows] or [None]:
        append(tx, "unit.claim_attempts", data, unit_id=unit_id, person_id=owners.get(unit_id) if unit_id else None)


def release(tx: Connection, person_id: int, public_id: str, unit: str, now: datetime) -> None:
    """Give a unit up: nobody owns it then, and its code registers it again. Raises NotFound if it is not theirs."""
    tx.execute(queries.wait_briefly)
    held = tx.execute(queries.hold_own, {"unit": unit, "person_id": person_id, "at": now}).fetchone()
    ended = (
        held and tx.execute(queries.end_own, {"unit_id": held["id"], "person_id": person_id, "until": now}).fetchone()
    )
    if not held or not ended:
        raise NotFound("You have no such product.")
    tx.execute(queries.free_code, {"unit_id": held["id"]})
    append(tx, "unit.released", {"serial": held["printed"]}, actor=public_id, unit_id=held["id"], person_id=person_id)


def name_place(tx: Connection, person_id: int, unit: str, place: str | None, now: datetime) -> None:
    """Keep where a unit stands, in its owner's words. Raises NotFound if it is not theirs."""
    if not tx.execute(queries.name_place, {"unit": unit, "person_id": person_id, "place": place, "at": now}).rowcount:
        raise NotFound("You have no such product.")
