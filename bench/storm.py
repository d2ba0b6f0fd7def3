"""A storm: one rule raises an alarm at as many units of different owners at once.

The worker's own turns tell of them. When half were told, one safety alarm is raised.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench import bare_insert
from bench.setup import make_fleet, max_rss_mb
from gateway.config import Settings
from gateway.core.clock import system_clock, to_us
from gateway.notify.alarms import AT_ONCE
from gateway.roles.worker import Worker
from gateway.rules import repository as rules
from gateway.rules.changes import record_changes
from gateway.rules.evaluator import Change
from gateway.store import Connection, Database, connect
from gateway.text import catalog

_OWNERS = """
INSERT INTO person (public_id, name, email)
SELECT 'p' || n, 'Person ' || n, 'p' || n || '@example.org' FROM generate_series(1, %(owners)s) n;
INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)
SELECT 'a' || id, id, 'customer', now(), now() FROM person;
INSERT INTO ownership (unit_id, person_id, during)
SELECT u.id, p.id, tstzrange('2024-01-01', NULL)
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM unit) u
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM person) p ON p.n = u.n;
"""
PART_OF = 10
_OF_NOTICE = "notice_id >= (SELECT min(id) FROM kept_notice)"
_WHERES = {"notice": "", "notice_alarm": _OF_NOTICE, "outbox": _OF_NOTICE, "ledger": _OF_NOTICE}
_BATCH = 500
_POLL_S = 0.01
_HOT = 95.0


def measure(url: str, alarms: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Returns the figures for so many alarms, in a database with this version's schema.

    A tenth as many are raised and told before, so that the memory of two sizes can be compared.
    """
    part = alarms // PART_OF
    catalog().load()  # as the role does at its start
    with connect(url, "bench") as db, Database(url, "bench") as pool, tempfile.TemporaryDirectory() as folder:
        make_fleet(url, Path(folder), part + alarms + 1, rules=1)
        for statement in _OWNERS.strip().split(";\n"):
            db.execute(statement % {"owners": part + alarms + 1})  # type: ignore[call-overload]
        db.execute("VACUUM ANALYZE")
        units = [row["id"] for row in db.execute("SELECT id FROM unit ORDER BY id")]
        storm = _Storm(url, db, Worker(Settings(**settings), pool, system_clock))
        storm.tell(units[:part])
        rss_part = max_rss_mb()
        safety = _Safety(url, units[-1], after=part + alarms // 2)
        with safety.raised() as thread:
            with counted_statements() as statements:
                told_s = storm.tell(units[part:-1])
            storm.turn_while(thread.is_alive)
        rss_all = max_rss_mb()
        bare_s = bare_insert.seconds(db, _WHERES | {"notice": f"unit_id > {units[part - 1]}"})
    return {
        "alarms": alarms,
        "told_s": round(told_s, 2),
        "alarms_per_s": round(alarms / told_s),
        "bare_s": round(bare_s, 2),
        "ratio": round(told_s / bare_s, 2),
        "safety_s": safety.seconds,
        "statements_per_set": round(len(statements) / (alarms / AT_ONCE), 1),
        "max_rss_mb": {str(part): rss_part, str(alarms): rss_all},
    }


class _Storm:
    """Raises alarms at once, and lets the worker tell of them."""

    def __init__(self, url: str, db: Connection, worker: Worker) -> None:
        self._url, self._db, self._worker = url, db, worker

    def tell(self, units: Sequence[int]) -> float:
        """Returns the seconds until the last owner was told."""
        self.turn_while(lambda: False)
        aim = told(self._db) + len(units)
        raise_alarms(self._db, units)
        begun = time.monotonic()
        while told(self._db) < aim:
            self._worker.turn()
        return time.monotonic() - begun

    def turn_while(self, is_open: Callable[[], bool]) -> None:
        """Turn while there is something to do, or something is to come."""
        while self._worker.turn() or is_open():
            pass


class _Safety:
    """One safety alarm that is raised when so many owners were told; `seconds` until its owner is told."""

    def __init__(self, url: str, unit: int, after: int) -> None:
        self._url, self._unit, self._after = url, unit, after
        self.seconds: float | None = None

    @contextmanager
    def raised(self) -> Iterator[threading.Thread]:
        """Raise it while the block runs; yields the thread that waits until it is told."""
        thread = threading.Thread(target=self._run)
        thread.start()
        yield thread
        thread.join()

    def _run(self) -> None:
        with connect(self._url, "bench-safety") as db:
            while told(db) < self._after:
                time.sleep(_POLL_S)
            raise_alarms(db, [self._unit], "safety")
            begun = time.monotonic()
            while not told(db, "safety"):
                time.sleep(_POLL_S)
            self.seconds = round(time.monotonic() - begun, 2)


def raise_alarms(db: Connection, units: Sequence[int], severity: str = "warning") -> None:
    """Raise an alarm of the rule at each unit now, as ingest does for its batches, in one transaction."""
    (version,) = rules.versions(db, rules.in_force(db).versions)
    now = system_clock()
    at = to_us(now)
    with db.transaction():
        for start in range(0, len(units), _BATCH):  # so that this takes no memory that would count as the worker's
            page = units[start : start + _BATCH]
            changes = [Change("raised", version.id, unit, at, at, _HOT, _HOT, _HOT) for unit in page]
            record_changes(db, changes, {version.id: version}, now, timedelta(hours=1), batch=1)
        db.execute("UPDATE alarm SET severity = %s WHERE unit_id = ANY (%s)", [severity, list(units)])


def told(db: Connection, severity: str = "warning") -> int:
    """Returns how many owners were told of alarms of a severity."""
    row = db.execute("SELECT count(*) AS n FROM notice WHERE severity = %s", [severity]).fetchone()
    return row["n"] if row else 0


@contextmanager
def counted_statements() -> Iterator[list[object]]:
    """Collects the statements of this thread, begin and commit left out."""
    statements: list[object] = []
    thread = threading.get_ident()
    execute, copy = psycopg.Cursor.execute, psycopg.Cursor.copy

    def noted(act: Any) -> Any:  # noqa: ANN401 - a method of the library
        def call(cursor: object, query: object, *arguments: object, **options: object) -> object:
            if threading.get_ident() == thread:
                statements.append(query)
            return act(cursor, query, *arguments, **options)

        return call

    psycopg.Cursor.execute, psycopg.Cursor.copy = noted(execute), noted(copy)  # type: ignore[method-assign]
    try:
        yield statements
    finally:
        psycopg.Cursor.execute, psycopg.Cursor.copy = execute, copy  # type: ignore[method-assign]
