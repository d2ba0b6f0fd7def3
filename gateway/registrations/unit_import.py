"""The job that brings in units files: staged, checked in ranges, then applied in one transaction."""

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
from gateway.registrations.staging import FIRST_KEY, Follower, Line, check_step, follow, next_range, ranges
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
"""The columns in which an empty cell may erase the stored value."""
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
    """Units from files. `products` are the ids of products by code; only staging needs them."""

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
        """Returns the problem of a row whose product does not exist; else None."""
        if row.product in self._products:
            return None
        return f"product: {row.product!r} is not here; import its product file first"

    def stage(self, tx: Connection, job_id: int, lines: Sequence[Line[UnitRow]]) -> None:
        """Stage rows, with the hashes of the claim codes that are new or have changed."""
        keys = [(self._products[line.row.product], canonical_serial(line.row.serial)) for line in lines]
        hashes = self._hashes(tx, keys, [line.row for line in lines])
        copy_rows(
            tx,
            "import_unit",
            _TYPES,
            (
                self._staged_row(job_id, line, key, code_hash)
                for line, key, code_hash in zip(lines, keys, hashes, strict=True)
            ),
        )

    def _staged_row(
        self, job_id: int, line: Line[UnitRow], key: tuple[int, str], code_hash: bytes | None
    ) -> Sequence[Any]:
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
        """Returns the hash of each new code; codes are compared here, so that the database never gets one in clear."""
        codes = [None if row.claim_code is None else canonical_code(row.claim_code.get_secret_value()) for row in rows]
        if not any(codes):
            return [None] * len(rows)
        parameters = {"product_ids": [key[0] for key in keys], "serials": [key[1] for key in keys]}
        digests = {
            row["place"] - 1: row["code_hash"] for row in tx.execute(queries.codes_by_key, parameters, prepare=False)
        }
        return [
            None
            if code is None or (index in digests and is_code(code, digests[index]))
            else hash_code(code, self._salt(SALT_BYTES))
            for index, code in enumerate(codes)
        ]

    def turn(self, tx: Connection, turn: Turn) -> Step:
        """Check the next range, apply all rows, or call the followers for the next changes."""
        if turn.job.phase == "check":
            return self._check(tx, turn)
        if turn.job.phase == "apply":
            return self._apply(tx, turn)
        return follow(tx, turn, self._followers)

    def _check(self, tx: Connection, turn: Turn) -> Step:
        keys = next_range(tx, queries.next_units, turn.job.id, turn.job.place.get("after", FIRST_KEY))
        if keys is None:
            return check_step(turn, None, (), reported=0)
        repeated_rows = tx.execute(queries.units_twice, keys.parameters, prepare=False)
        problems = [
            (row["file"], row["line"], _repeated_serial(row, turn.job.arguments["files"])) for row in repeated_rows
        ]
        count = tx.execute(queries.count_reported, keys.parameters, prepare=False).fetchone()
        return check_step(turn, keys, problems, reported=count["units"] if count else 0)

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
        """Remove staged rows, and the rows that note changes."""
        parameters = {"job": job_id, "limit": limit}
        staged = tx.execute(queries.drop_staged_units, parameters).rowcount
        return tx.execute(queries.drop_changes, parameters).rowcount + staged == 0


def _repeated_serial(row: Mapping[str, Any], files: Sequence[str]) -> str:
    file_text = "" if row["first_file"] == row["file"] else f" of {files[row['first_file']]}"
    return f"serial: {row['printed']} stands in line {row['first_line']}{file_text} already"
