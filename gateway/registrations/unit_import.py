"""The job that brings in units files: staged, checked in ranges, then put into force in one transaction."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.ids import IdMaker, random_id
from gateway.core.serial import canonical_serial
from gateway.events import append
from gateway.jobs.model import Step, Turn
from gateway.registrations.codes import SALT_BYTES, Salt, canonical_code, hash_code, is_code
from gateway.registrations.model import UnitRow
from gateway.registrations.repository import queries
from gateway.registrations.staging import FIRST_KEY, Follower, Line, checked, follow, next_range, ranges
from gateway.store import Connection
from gateway.store.copy import copy_rows
from gateway.store.locks import Lock, hold

NAME = "import units"
CLEARABLE = (
    "lot",
    "firmware",
    "made_on",
    "hardware",
    "region",
    "sold_on",
    "support_until",
    "order_number",
    "test",
)
"""Columns in which an empty cell may erase what is known."""
_TYPES = {
    "job_id": "int8",
    "product_id": "int4",
    "serial": "text",
    "file": "int2",
    "line": "int4",
    "public_id": "text",
    "printed": "text",
    "lot": "text",
    "firmware": "text",
    "made_on": "date",
    "hardware": "text",
    "region": "text",
    "sold_on": "date",
    "support_until": "date",
    "order_number": "text",
    "is_test": "bool",
    "code_hash": "bytea",
}
_TEST = {"yes": True, "no": False}


class UnitImport:
    """Units from files. `products` are the ids of products by code; only who stages rows needs them."""

    name = NAME
    settled = frozenset({"follow"})

    def __init__(
        self,
        followers: Sequence[Follower] = (),
        products: Mapping[str, int] | None = None,
        new_id: IdMaker = random_id,
        salt: Salt = secrets.token_bytes,
    ) -> None:
        self._followers = followers
        self._products = products or {}
        self._new_id = new_id
        self._salt = salt

    def problem(self, row: UnitRow) -> str | None:
        """Whether the product is not here."""
        if row.product in self._products:
            return None
        return f"product: {row.product!r} is not here; import its product file first"

    def stage(self, tx: Connection, job_id: int, lines: Sequence[Line[UnitRow]]) -> None:
        """Stage rows, with the hashes of those claim codes that are new or others than before."""
        keys = [(self._products[line.row.product], canonical_serial(line.row.serial)) for line in lines]
        hashes = self._hashes(tx, keys, [line.row for line in lines])
        copy_rows(
            tx,
            "import_unit",
            _TYPES,
            (
                self._staged(job_id, line, key, code_hash)
                for line, key, code_hash in zip(lines, keys, hashes, strict=True)
            ),
        )

    def _staged(self, job_id: int, line: Line[UnitRow], key: tuple[int, str], code_hash: bytes | None) -> Sequence[Any]:
        row = line.row
        return (
            job_id,
            *key,
            line.file,
            line.line,
            self._new_id(),
            row.serial,
            row.lot,
            row.firmware,
            row.made_on,
            row.hardware,
            row.region,
            row.sold_on,
            row.support_until,
            row.order_number,
            None if row.test is None else _TEST[row.test],
            code_hash,
        )

    def _hashes(self, tx: Connection, keys: Sequence[tuple[int, str]], rows: Sequence[UnitRow]) -> list[bytes | None]:
        """A salted hash can be compared here only: the database keeps no code, and is given none."""
        codes = [None if row.claim_code is None else canonical_code(row.claim_code.get_secret_value()) for row in rows]
        if not any(codes):
            return [None] * len(rows)
        asked = {"product_ids": [key[0] for key in keys], "serials": [key[1] for key in keys]}
        digests = {row["place"] - 1: row["code_hash"] for row in tx.execute(queries.codes_by_key, asked, prepare=False)}
        return [
            None
            if code is None or (place in digests and is_code(code, digests[place]))
            else hash_code(code, self._salt(SALT_BYTES))
            for place, code in enumerate(codes)
        ]

    def turn(self, tx: Connection, turn: Turn) -> Step:
        """Check the next range, put all of it into force, or do what follows from the next changes."""
        if turn.job.phase == "check":
            return self._check(tx, turn)
        if turn.job.phase == "apply":
            return self._apply(tx, turn)
        return follow(tx, turn, self._followers)

    def _check(self, tx: Connection, turn: Turn) -> Step:
        keys = next_range(tx, queries.next_units, turn.job.id, turn.job.place.get("after", FIRST_KEY))
        if keys is None:
            return checked(turn, None, (), reported=0)
        twice = tx.execute(queries.units_twice, keys.parameters, prepare=False)
        problems = [(row["file"], row["line"], _stands_twice(row, turn.job.arguments["files"])) for row in twice]
        held = tx.execute(queries.count_reported, keys.parameters, prepare=False).fetchone()
        return checked(turn, keys, problems, reported=held["units"] if held else 0)

    def _apply(self, tx: Connection, turn: Turn) -> Step:
        hold(tx, Lock.IMPORT)
        created = changed = done = number = 0
        for number, keys in enumerate(ranges(tx, queries.next_units, turn.job.id)):
            parameters = keys.parameters | {"turn": number, "clear": turn.job.arguments["clear"]}
            changed += tx.execute(queries.change_units, parameters, prepare=False).rowcount
            created += tx.execute(queries.create_units, parameters, prepare=False).rowcount
            tx.execute(queries.keep_codes, keys.parameters, prepare=False)
            done += keys.rows
            turn.report(done, turn.job.total)
        counts = {"rows": done, "created": created, "changed": changed}
        if created or changed:
            append(tx, "units.imported", {"job": turn.job.public_id, **counts}, actor=turn.job.actor)
        result = counts | {"reported": turn.job.place.get("reported", 0)}
        return Step("follow", 0, created + changed, {"turn": 0, "last": number}, result)

    def tidy(self, tx: Connection, job_id: int, limit: int) -> bool:
        """Remove staged rows and noted changes."""
        removing = {"job": job_id, "limit": limit}
        staged = tx.execute(queries.drop_staged_units, removing).rowcount
        return tx.execute(queries.drop_changes, removing).rowcount + staged == 0


def _stands_twice(row: Mapping[str, Any], files: Sequence[str]) -> str:
    other = "" if row["first_file"] == row["file"] else f" of {files[row['first_file']]}"
    return f"serial: {row['printed']} stands in line {row['first_line']}{other} already"
