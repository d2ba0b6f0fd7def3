"""From alarms to notices: what ingest writes, a worker that the test turns, and a clock that it moves."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.config import Settings
from gateway.core.clock import to_us
from gateway.roles.worker import Worker
from gateway.rules import repository as rules
from gateway.rules.changes import record_changes
from gateway.rules.evaluator import Change
from gateway.store import Connection, Database
from tests.dsl.reasons import in_words

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SERIALS = [f"P{n}" for n in range(1, 26)]


class Story:
    """Alarms as ingest writes them, a worker that handles them, and a clock that the test moves."""

    def __init__(self, url: str, database: Database, db: Connection) -> None:
        self.url, self.database, self.db = url, database, db
        self.now = NOON
        self.worker = Worker(Settings(), database, lambda: self.now)
        self.refresh()
        rows = db.execute("SELECT id, serial FROM unit").fetchall()
        self.units = {row["serial"]: row["id"] for row in rows}

    def refresh(self) -> None:
        """Load the rules that are in force."""
        in_force = rules.in_force(self.db).versions
        self.versions = {version.id: version for version in rules.versions(self.db, in_force)}

    def _change(self, kind: str, serial: str, onset: datetime, value: float) -> Change:
        (version,) = self.versions
        at = to_us(self.now)
        return Change(kind, version, self.units[serial], to_us(onset), at, value, 91.0, max(value, 96.0))

    def record(self, *changes: Change) -> None:
        with self.db.transaction():
            record_changes(self.db, changes, self.versions, self.now, HOUR, batch=1)

    def raise_(self, *serials: str, onset: datetime | None = None) -> datetime:
        onset = onset or self.now
        self.record(*(self._change("raised", serial, onset, 95.0) for serial in serials))
        return onset

    def clear(self, serial: str, onset: datetime) -> None:
        self.record(self._change("cleared", serial, onset, 80.0))

    def later(self, span: timedelta) -> None:
        self.now += span

    def work(self) -> None:
        """Run turns of the worker until there is nothing to do."""
        for _ in range(20):
            if not self.worker.turn():
                return
        pytest.fail("the worker does not come to rest")

    def column(self, query: str) -> list[object]:
        return [next(iter(row.values())) if len(row) == 1 else tuple(row.values()) for row in self.db.execute(query)]

    def notices(self) -> list[object]:
        return self.column("SELECT state, count FROM notice ORDER BY id")

    def ledger(self) -> list[object]:
        rows = self.db.execute("SELECT outcome, reason FROM ledger ORDER BY id")
        return [(row["outcome"], in_words(row["reason"])) for row in rows]

    def feed(self) -> list[object]:
        """How each notice went in the feed: told, held or skipped."""
        return self.column(
            "SELECT CASE WHEN is_held THEN 'held' WHEN skip_reason IS NULL THEN 'told' ELSE 'skipped' END"
            " FROM notice ORDER BY id"
        )

    def events(self) -> list[object]:
        return self.column("SELECT kind FROM event WHERE kind ~ '^(notice|delivery)' ORDER BY id")
