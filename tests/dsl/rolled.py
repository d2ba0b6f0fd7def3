"""Readings that are rolled up by hand, with a clock that is moved by hand."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np

from gateway.core.clock import to_us
from gateway.core.readings import Readings
from gateway.readings import rollups
from gateway.readings.repository import store_readings
from gateway.readings.retention import Kept
from gateway.readings.roller import Rolling
from gateway.store import Connection
from gateway.store.timeseries import TimeSeries

KEPT = Kept(timedelta(days=400), timedelta(days=730), timedelta(days=3650))

Sent = tuple[int, int, datetime, float]
"""Unit, metric, time and value."""


class HandClock:
    """The time, moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def store(db: Connection, sent: Sequence[Sent], *, without_room: Sequence[date] = ()) -> None:
    """Store readings as ingest does with those that may be late."""
    TimeSeries(db).ensure_days({at.date() for _, _, at, _ in sent} - set(without_room))
    units, metrics, times, values = zip(*sent, strict=True)
    time = np.array([to_us(at) for at in times], np.int64)
    readings = Readings.of(units, metrics, time, values, 0, time + 1)
    known = np.ones(len(sent), np.bool_)
    with db.transaction():
        store_readings(db, readings, known, known, without_room=without_room)


def roll_all(rolling: Rolling) -> None:
    """Turn until nothing is left to do."""
    while rolling.turn():
        pass


def rolled_to(db: Connection) -> datetime | None:
    """How far readings are rolled up."""
    mark = rollups.mark(db)
    return mark and mark.rolled_to


def stored(db: Connection, table: str, before: datetime) -> list[tuple]:
    """The rows of a rollup, in order."""
    rows = db.execute(
        f"SELECT unit_id, metric_id, begins, low, high, total, readings, received_from FROM {table}"
        " WHERE begins < %s ORDER BY 1, 2, 3",
        [before],
    )
    return [tuple(row.values()) for row in rows]


def recounted(db: Connection, unit: str, before: datetime) -> list[tuple]:
    """What a full recount by hour or day gives."""
    rows = db.execute(
        "SELECT unit_id, metric_id, date_trunc(%s, time, 'UTC') AS begins, min(value) AS low, max(value) AS high,"
        " sum(value) AS total, count(*) AS readings, min(received_at) AS received_from FROM telemetry WHERE time < %s"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        [unit, before],
    )
    return [tuple(row.values()) for row in rows]


def assert_equal_to_a_recount(db: Connection) -> None:
    """Whatever is rolled up is what the readings give."""
    to = rolled_to(db)
    assert to is not None
    assert stored(db, "rollup_hour", to) == recounted(db, "hour", to)
    whole = rollups.day_of(to)
    assert stored(db, "rollup_day", whole) == recounted(db, "day", whole)
