"""A store with a past: readings of the days before, as the fleet would have sent them, written by COPY."""

import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from bench.backlog import serial
from gateway.core.clock import to_us
from gateway.store import Connection, connect
from gateway.store.copy import Column, copy_columns, timestamps
from gateway.store.timeseries import TimeSeries

ROWS = 6_000_000
"""Readings of 30 days, at least."""
_DAY_S = 86_400
_BETWEEN_US = 500
"""Readings of the past stand between the milliseconds, so that no message of a timing can be one of them."""
_LATEST = """
INSERT INTO latest (unit_id, metric_id, time, value, received_at)
SELECT unit_id, metric_id, time, value, received_at FROM telemetry WHERE time >= %s AND time < %s
ON CONFLICT (unit_id, metric_id) DO UPDATE
SET time = excluded.time, value = excluded.value, received_at = excluded.received_at WHERE latest.time < excluded.time
"""


@dataclass(frozen=True, slots=True)
class Past:
    """How many days of history there are, and how many readings at least."""

    days: int
    rows: int


def add_arguments(parser: ArgumentParser) -> None:
    """The two arguments of a timing on a store with a past."""
    parser.add_argument("--history-days", type=int, default=30, help="filled first (default %(default)s; 0: none)")
    parser.add_argument("--history-rows", type=int, default=ROWS, help="of them, at least (default %(default)s)")


def past(given: Namespace, parser: ArgumentParser) -> Past:
    """What was asked for."""
    if given.history_days < 0 or given.history_rows < 1:
        parser.error("--history-days is 0 or more, --history-rows 1 or more")
    return Past(given.history_days, given.history_rows)


def fill(url: str, units: int, past: Past) -> int:
    """Write readings of the first `units` units, evenly over the days before today; returns how many."""
    if not past.days:
        return 0
    print(f"bench: filling {past.days} days…", file=sys.stderr)
    begun = time.monotonic()
    with connect(url, "bench") as db:
        filled = _fill(db, units, past, datetime.now(UTC).date())
    print(f"bench: {filled} readings in {time.monotonic() - begun:.0f} s.", file=sys.stderr)
    return filled


def _fill(db: Connection, units: int, past: Past, today: date) -> int:
    ids = [
        [row["id"] for row in db.execute(query, arguments)]
        for query, arguments in (
            ("SELECT id FROM unit WHERE serial = ANY(%s) ORDER BY id", [[serial(unit) for unit in range(units)]]),
            ("SELECT id FROM metric ORDER BY id", []),
        )
    ]
    unit, metric = (column.ravel() for column in np.meshgrid(np.array(ids[0]), np.array(ids[1]), indexing="ij"))
    rounds = -(-past.rows // (past.days * len(unit)))
    dates = [today - timedelta(days=back) for back in range(past.days, 0, -1)]
    series = TimeSeries(db)
    series.ensure_days(dates)
    for day in dates:
        _fill_day(db, day, unit, metric, rounds)
    last = datetime(today.year, today.month, today.day, tzinfo=UTC)
    # One round of the last day is enough to know the newest of each.
    db.execute(_LATEST, [last - timedelta(seconds=_DAY_S / rounds), last])
    db.execute("ANALYZE telemetry")  # as the server does by itself within a minute
    db.execute("CHECKPOINT")
    return past.days * rounds * len(unit)


def _fill_day(db: Connection, day: date, unit: Column, metric: Column, rounds: int) -> None:
    """So many readings of each unit and metric, in the order in which they would have come."""
    midnight = to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))
    moments = midnight + np.arange(rounds) * (_DAY_S * 1_000_000 // rounds) + _BETWEEN_US
    at = np.repeat(moments, len(unit))
    number = np.arange(len(at))
    columns = {
        "time": timestamps(at),
        "unit_id": np.tile(unit, rounds),
        "metric_id": np.tile(metric.astype(np.int16), rounds),
        "value": 20.0 + number % 500 / 10,
        "received_at": timestamps(at + 1_000),
        "late": np.zeros(len(at), np.bool_),
    }
    copy_columns(db, "telemetry", columns)
