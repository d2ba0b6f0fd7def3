"""Fills the store with history: readings of earlier days, as the fleet would have sent them, written by COPY."""

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
"""The default number of readings in the history, at least."""
_DAY_S = 86_400
_OFFSET_US = 500
"""The history's readings have times between milliseconds, so that no message of a benchmark has the same time."""
_LATEST = """
INSERT INTO latest (unit_id, metric_id, time, value, received_at)
SELECT unit_id, metric_id, time, value, received_at FROM telemetry WHERE time >= %s AND time < %s
ON CONFLICT (unit_id, metric_id) DO UPDATE
SET time = excluded.time, value = excluded.value, received_at = excluded.received_at WHERE latest.time < excluded.time
"""


@dataclass(frozen=True, slots=True)
class HistorySize:
    """The number of days of history, and of their readings, at least."""

    days: int
    rows: int


def add_arguments(parser: ArgumentParser) -> None:
    """Add the two arguments of a benchmark with history."""
    parser.add_argument("--history-days", type=int, default=30, help="filled first (default %(default)s; 0: none)")
    parser.add_argument("--history-rows", type=int, default=ROWS, help="of them, at least (default %(default)s)")


def read_size(options: Namespace, parser: ArgumentParser) -> HistorySize:
    """Returns the history of the arguments."""
    if options.history_days < 0 or options.history_rows < 1:
        parser.error("--history-days is 0 or more, --history-rows 1 or more")
    return HistorySize(options.history_days, options.history_rows)


def fill(url: str, units: int, size: HistorySize) -> int:
    """Write readings of the first `units` units, evenly over the days before today. Returns the number."""
    if not size.days:
        return 0
    print(f"bench: filling {size.days} days…", file=sys.stderr)
    begun = time.monotonic()
    with connect(url, "bench") as db:
        filled = _fill(db, units, size, datetime.now(UTC).date())
    print(f"bench: {filled} readings in {time.monotonic() - begun:.0f} s.", file=sys.stderr)
    return filled


def _fill(db: Connection, units: int, size: HistorySize, today: date) -> int:
    ids = [
        [row["id"] for row in db.execute(query, arguments)]
        for query, arguments in (
            ("SELECT id FROM unit WHERE serial = ANY(%s) ORDER BY id", [[serial(unit) for unit in range(units)]]),
            ("SELECT id FROM metric ORDER BY id", []),
        )
    ]
    unit, metric = (column.ravel() for column in np.meshgrid(np.array(ids[0]), np.array(ids[1]), indexing="ij"))
    rounds = -(-size.rows // (size.days * len(unit)))
    dates = [today - timedelta(days=days_ago) for days_ago in range(size.days, 0, -1)]
    series = TimeSeries(db)
    series.ensure_days(dates)
    for day in dates:
        _fill_day(db, day, unit, metric, rounds)
    end = datetime(today.year, today.month, today.day, tzinfo=UTC)
    # The last round of the last day has the newest reading of each unit and metric.
    db.execute(_LATEST, [end - timedelta(seconds=_DAY_S / rounds), end])
    db.execute("ANALYZE telemetry")  # as autovacuum does within a minute
    db.execute("CHECKPOINT")
    return size.days * rounds * len(unit)


def _fill_day(db: Connection, day: date, unit: Column, metric: Column, rounds: int) -> None:
    """Write `rounds` readings of each unit and metric, in the order in which they would have arrived."""
    midnight = to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))
    moments = midnight + np.arange(rounds) * (_DAY_S * 1_000_000 // rounds) + _OFFSET_US
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
