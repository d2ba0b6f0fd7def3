"""Imports units and owners on the test's connection, also within its transaction."""

from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.core.errors import BadInput
from gateway.imports.jobs import AFTER_OWNERS, AFTER_UNITS
from gateway.jobs import repository as jobs
from gateway.jobs.model import Step
from gateway.jobs.runner import Runner, new_owner
from gateway.registrations import repository as registrations
from gateway.registrations.model import OwnerRow, UnitRow
from gateway.registrations.owner_import import OwnerImport
from gateway.registrations.staging import Line
from gateway.registrations.unit_import import UnitImport
from gateway.store import Connection

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
"""The time of every import: work that follows is due at once, whatever a test's clock says."""


def import_units(db: Connection, rows: Mapping[int, UnitRow], *, actor: str) -> int:
    """Create and change units; returns the number of them."""
    result = _run(db, UnitImport(AFTER_UNITS, _products(db)), rows, actor)
    return int(result["created"] + result["changed"])


def import_owners(db: Connection, rows: Mapping[int, OwnerRow], *, actor: str) -> int:
    """Let ownerships begin; returns the number of them."""
    return int(_run(db, OwnerImport(AFTER_OWNERS, _products(db)), rows, actor)["began"])


def _products(db: Connection) -> dict[str, int]:
    return {product.code: product.id for product in registrations.products(db)}


class _Rows:
    """A kind of job whose rows come from memory."""

    def __init__(self, kind, rows):
        self._kind, self._rows = kind, rows
        self.name, self.settled, self.tidy = kind.name, kind.settled, kind.tidy

    def turn(self, tx, turn):
        if turn.job.phase != "upload":
            return self._kind.turn(tx, turn)
        problems = [f"line {line}: {text}" for line, row in self._rows.items() if (text := self._kind.problem(row))]
        if problems:
            raise BadInput("Nothing was imported:", problems)
        self._kind.stage(tx, turn.job.id, [Line(0, line, row) for line, row in self._rows.items()])
        return Step("check", 0, len(self._rows))


def _run(db: Connection, kind, rows, actor: str):
    owner = new_owner()
    job = jobs.create(db, kind.name, {"files": ["rows"], "clear": []}, actor=actor, owner=owner)
    job = Runner(db, {kind.name: _Rows(kind, rows)}, lambda: LONG_AGO, owner).run(job)
    if job.state == "failed":
        raise BadInput(job.error or "")
    return job.result
