"""Registration by the owner: with its serial and claim code a unit becomes theirs.

A wrong serial, a wrong code and a unit with an owner take the same queries and as many compared codes, and get the same
response, so that nobody learns which it was. A try is counted first, and stays counted when it was wrong.
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
"""The number of codes compared in each try. A serial that more products share needs its product, too."""
FREE_TRIES = 3
"""The number of wrong tries of an account, within the window, that the limit of its network does not stop."""
_UNIT = "claim-unit"


class ClaimRefused(GatewayError):
    """The serial is unknown, the code is wrong, or the unit has an owner; the message does not say which."""

    code = "claim_refused"
    status = 404

    def __init__(self) -> None:
        super().__init__(
            "These do not register a product. Compare serial and code with what is printed;"
            " a product that has an owner must be given up by them first."
        )


@dataclass(frozen=True, slots=True)
class Claimant:
    """The person who registers a unit, and the network of the request."""

    person_id: int
    public_id: str
    network: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The most wrong tries within the window. Each limit stops only those who made the tries.

    `per_unit` is for one account at one serial. As many tries of all accounts together stop nobody; the owner is told.
    """

    per_unit: int
    per_account: int
    per_network: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim succeeded: the unit with this public id is the claimant's."""

    unit: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several products have this serial, and the claimant must say which one.

    Returned only to a claimant with the code of one of them, or where they are more than are compared.
    """

    products: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The claim failed, for whatever reason; a value, so that the try stays counted when `tx` commits."""


Outcome = Claimed | Ambiguous | Refused


_NO_CODE = hash_code("", bytes(SALT_BYTES))
"""Compared where a unit has no code; no canonical code is empty."""


def claim(
    tx: Connection, claimant: Claimant, serial: str, code: str, product: str | None, limits: Limits, now: datetime
) -> Outcome:
    """Register a unit for a person. Commit `tx` also when the claim was refused: else the try is not counted.

    Raises TooManyAttempts; and ValueError for a text that cannot be a serial or a code, before any look-up.
    """
    tx.execute(queries.wait_briefly)
    serial, code = canonical_serial(serial), canonical_code(code)
    account = str(claimant.person_id)
    tries = [
        Limit("claim of unit by account", f"{serial} {account}", limits.per_unit, limits.window),
        Limit("claim-account", account, limits.per_account, limits.window),
    ]
    network = Limit("claim-network", claimant.network, limits.per_network, limits.window)
    spend(tx, tries, shared=[network], spared=Limit("claim-account", account, FREE_TRIES, limits.window))
    attempts = tally(tx, _UNIT, serial, limits.window)
    rows = tx.execute(queries.claimable, {"serial": serial, "product": product}).fetchall()
    owners = _owners(tx, [row["unit_id"] for row in rows], now)
    notices_limit = Limit("owner told of claims", serial, 1, limits.window)
    is_owner_told = free_at(tx, notices_limit) is None and attempts >= limits.per_unit
    matches = _matches(rows, code, owners, claimant)
    if product is None and len(rows) > COMPARED:
        return _ambiguity(rows)
    if not matches:
        if is_owner_told:
            note(tx, notices_limit.kind, notices_limit.key)
            _tell_owners(tx, rows, owners, attempts)
        return Refused()
    for kind, key in [(_UNIT, serial), *((limit.kind, limit.key) for limit in [*tries, network])]:
        take_back(tx, kind, key)
    if product is None and len(rows) > 1:
        return _ambiguity(rows)
    (unit,) = matches
    if unit["unit_id"] not in owners:  # else the claimant owns it already, and asked twice
        tx.execute(queries.begin_claimed, {"unit_id": unit["unit_id"], "person_id": claimant.person_id, "since": now})
        tx.execute(queries.spend_code, {"unit_id": unit["unit_id"], "at": now})
        data = {"product": unit["product"], "serial": unit["printed"]}
        append(
            tx, "unit.claimed", data, actor=claimant.public_id, unit_id=unit["unit_id"], person_id=claimant.person_id
        )
    return Claimed(unit["id"])


def _owners(tx: Connection, unit_ids: list[int], now: datetime) -> dict[int, int]:
    """Returns the owner of each of these units, now or in future, by unit id."""
    rows = tx.execute(queries.owners_from, {"unit_ids": unit_ids, "at": now})
    return {row["unit_id"]: row["person_id"] for row in rows}


def _matches(rows: list[Row], code: str, owners: dict[int, int], claimant: Claimant) -> list[Row]:
    """Returns the units that the code registers for the claimant; it always compares the same number of codes.

    A used code still counts for the owner who used it, until they give the unit up.
    """
    digests = [row["code_hash"] or _NO_CODE for row in rows[:COMPARED]]
    is_match = [is_code(code, digest) for digest in digests + [_NO_CODE] * (COMPARED - len(digests))]
    return [
        row
        for row, match in zip(rows, is_match, strict=False)
        if match
        and (
            (row["unit_id"] not in owners and row["spent_at"] is None)
            or owners.get(row["unit_id"]) == claimant.person_id
        )
    ]


def _ambiguity(rows: list[Row]) -> Ambiguous:
    return Ambiguous(tuple({"code": row["product"], "name": row["name"], "model": row["model"]} for row in rows))


def _tell_owners(tx: Connection, rows: Iterable[Row], owners: dict[int, int], attempts: int) -> None:
    """Write an event for each owner of a unit whose serial was tried often; one without owner where there is none."""
    data = {"attempts": attempts}
    for unit_id in [row["unit_id"] for row in rows] or [None]:
        append(tx, "unit.claim_attempts", data, unit_id=unit_id, person_id=owners.get(unit_id) if unit_id else None)


def release(tx: Connection, person_id: int, public_id: str, unit: str, now: datetime) -> None:
    """End a person's ownership of a unit; its code can register it again. Raises NotFound if it is not theirs."""
    tx.execute(queries.wait_briefly)
    unit_row = tx.execute(queries.hold_own, {"unit": unit, "person_id": person_id, "at": now}).fetchone()
    ownership = (
        unit_row
        and tx.execute(queries.end_own, {"unit_id": unit_row["id"], "person_id": person_id, "until": now}).fetchone()
    )
    if not unit_row or not ownership:
        raise NotFound("You have no such product.")
    tx.execute(queries.free_code, {"unit_id": unit_row["id"]})
    data = {"serial": unit_row["printed"]}
    append(tx, "unit.released", data, actor=public_id, unit_id=unit_row["id"], person_id=person_id)


def name_place(tx: Connection, person_id: int, unit: str, place: str | None, now: datetime) -> None:
    """Store the place of a unit, in its owner's words. Raises NotFound if it is not theirs."""
    if not tx.execute(queries.name_place, {"unit": unit, "person_id": person_id, "place": place, "at": now}).rowcount:
        raise NotFound("You have no such product.")
