"""The job that brings in owners files: staged, checked in ranges, then applied in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.core.ids import IdMaker, random_id
from gateway.events import append
from gateway.jobs.model import Step, Turn
from gateway.registrations.model import OwnerRow
from gateway.registrations.repository import queries
from gateway.registrations.staging import (
    FIRST_KEY,
    RANGE,
    Follower,
    KeyRange,
    Line,
    check_step,
    follow,
    next_range,
    ranges,
    refusal,
)
from gateway.store import Connection, Row
from gateway.store.copy import copy_rows
from gateway.store.locks import Lock, hold

NAME = "import owners"
CLEARABLE = ("phone", "address", "country", "time_zone", "customer_number", "contract_level")
"""The columns in which an empty cell may erase the stored value."""
_TYPES = {
    "job_id": "int8",
    "product_id": "int4",
    "serial": "text",
    "since": "timestamptz",
    "file": "int2",
    "line": "int4",
    "unit": "text",
    "email": "text",
    "public_id": "text",
    "name": "text",
    "phone": "text",
    "address": "text",
    "country": "text",
    "time_zone": "text",
    "customer_number": "text",
    "contract_level": "text",
    "language": "text",
}


class OwnerImport:
    """Owners from files. `products` are the ids of products by code; only staging needs them."""

    name = NAME
    settled = frozenset({"follow"})

    def __init__(
        self,
        followers: Sequence[Follower] = (),
        products: Mapping[str, int] | None = None,
        new_id: IdMaker = random_id,
    ) -> None:
        self._followers = followers
        self._products = products or {}
        self._new_id = new_id

    def problem(self, row: OwnerRow) -> str | None:
        """Returns the problem of a row whose product does not exist; else None."""
        return None if row.unit_key[0] in self._products else _no_unit(row.unit)

    def stage(self, tx: Connection, job_id: int, lines: Sequence[Line[OwnerRow]]) -> None:
        """Stage rows."""
        copy_rows(tx, "import_owner", _TYPES, (self._staged_row(job_id, line) for line in lines))

    def _staged_row(self, job_id: int, line: Line[OwnerRow]) -> Sequence[Any]:
        row = line.row
        code, serial = row.unit_key
        return (
            job_id,
            self._products[code],
            serial,
            row.since,
            line.file,
            line.line,
            row.unit,
            row.email,
            self._new_id(),
            row.person,
            row.phone,
            row.address,
            row.country,
            row.time_zone,
            row.customer_number,
            row.contract_level,
            row.language,
        )

    def turn(self, tx: Connection, turn: Turn) -> Step:
        """Check the next range, apply all rows, or call the followers for the next changes."""
        if turn.job.phase == "check":
            return self._check(tx, turn)
        if turn.job.phase == "apply":
            return self._apply(tx, turn)
        return follow(tx, turn, self._followers)

    def _check(self, tx: Connection, turn: Turn) -> Step:
        keys = next_range(tx, queries.next_owners, turn.job.id, turn.job.place.get("after", FIRST_KEY))
        if keys is None:
            return check_step(turn, None, ())
        rows = tx.execute(queries.owners_refused, keys.parameters, prepare=False)
        return check_step(turn, keys, [_problem(row) for row in rows])

    def _apply(self, tx: Connection, turn: Turn) -> Step:
        """Apply people, then ownerships; for the progress each of the two is half a row."""
        hold(tx, Lock.IMPORT)
        people = self._apply_people(tx, turn)
        begun_count = applied_count = number = 0
        for number, keys in enumerate(ranges(tx, queries.next_owners, turn.job.id)):
            begun_count += _begin(tx, turn, keys, number)
            applied_count += keys.rows
            turn.report((applied_count + (turn.job.total or applied_count)) // 2, turn.job.total)
        counts = {"rows": applied_count, "began": begun_count, **people}
        if any((begun_count, *people.values())):
            append(tx, "owners.imported", {"job": turn.job.public_id, **counts}, actor=turn.job.actor)
        return Step("follow", 0, begun_count, {"turn": 0, "last": number}, counts)

    def _apply_people(self, tx: Connection, turn: Turn) -> dict[str, int]:
        people = {"people_created": 0, "people_changed": 0}
        applied_count = 0
        for addresses, rows in _addresses(tx, turn.job.id):
            parameters = addresses | {"clear": turn.job.arguments["clear"]}
            row = tx.execute(queries.bring_people, parameters, prepare=False).fetchone()
            tx.execute(queries.bring_languages, addresses, prepare=False)
            if row:
                people["people_created"] += row["created"]
                people["people_changed"] += row["changed"]
            applied_count += rows
            turn.report(applied_count // 2, turn.job.total)
        return people

    def tidy(self, tx: Connection, job_id: int, limit: int) -> bool:
        """Remove staged rows, and the rows that note changes."""
        parameters = {"job": job_id, "limit": limit}
        staged = tx.execute(queries.drop_staged_owners, parameters).rowcount
        return tx.execute(queries.drop_changes, parameters).rowcount + staged == 0


def _begin(tx: Connection, turn: Turn, keys: KeyRange, number: int) -> int:
    """Begin the ownerships of a range. Returns the number of them. Raises BadInput where a claim came before."""
    parameters = keys.parameters | {"turn": number}
    conflicts = tx.execute(queries.plan_owners, parameters, prepare=False).fetchall()
    if conflicts:
        raise refusal(turn, sorted(map(_problem, conflicts)), len(conflicts))
    of_turn = {"job": turn.job.id, "turn": number}
    tx.execute(queries.hold_changed, of_turn, prepare=False)
    tx.execute(queries.end_ownerships, of_turn, prepare=False)
    return tx.execute(queries.begin_ownerships, of_turn, prepare=False).rowcount


def _addresses(tx: Connection, job_id: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yields ranges of addresses as parameters, with the number of rows. Rows of one address are in one range."""
    after = ""
    while row := tx.execute(
        queries.next_people, {"job": job_id, "after": after, "limit": RANGE}, prepare=False
    ).fetchone():
        yield {"job": job_id, "after": after, "upto": row["email"]}, row["rows"]
        after = row["email"]


def _problem(row: Row) -> tuple[int, int, str]:
    if row["verdict"] == "no unit":
        return row["file"], row["line"], _no_unit(row["unit"])
    return row["file"], row["line"], f"since: {row['unit']} has an owner from {row['owned_since']:%Y-%m-%d} on already"


def _no_unit(unit: str) -> str:
    return f"unit: {unit} is not here; import its units file first"
