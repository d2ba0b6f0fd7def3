"""What rolling up costs, a year's chart of a unit beside a day's, and deleting what a product keeps shorter.

The store is filled with some days of readings, and one unit with a year by day. `roll_ratio` is the time of all steps
to that of one statement that groups the same readings by hour and writes nothing.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.history import HistorySize, fill
from bench.setup import database, make_fleet
from gateway.core.errors import GatewayError
from gateway.readings import rollups
from gateway.readings.history import ALL_UNITS, history
from gateway.readings.repository import begin_noting
from gateway.readings.retention import Kept
from gateway.readings.roller import Rolling
from gateway.store import Connection, connect

_KEPT = Kept(timedelta(days=400), timedelta(days=730), timedelta(days=3650))
_GROUPED = """
SELECT count(*) FROM (
  SELECT unit_id, metric_id, date_bin('1 hour', time, '2000-01-01Z'), min(value), max(value), sum(value), count(*)
  FROM telemetry GROUP BY 1, 2, 3) AS g
"""

_A_YEAR = """
INSERT INTO rollup_day (unit_id, metric_id, begins, low, high, total, readings, received_from)
SELECT %(unit)s, %(metric)s, %(today)s - n * interval '1 day', 20, 30, 36000, 1440, now()
FROM generate_series(1, 365) AS n
ON CONFLICT DO NOTHING
"""
_CHARTS = 200
_POINTS = 5_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print the result as one JSON object last."""
    parser = argparse.ArgumentParser(prog="bench.rollups", description=__doc__)
    parser.add_argument("--units", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000_000, help="readings, at least (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="only the result")
    given = parser.parse_args(arguments)
    try:
        with database() as url, tempfile.TemporaryDirectory() as folder:
            result = _measure(url, Path(folder), given)
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(result, indent=None if given.json else 2))


def _measure(url: str, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    make_fleet(url, folder, given.units, 0)
    rows = fill(url, given.units, HistorySize(given.days, given.rows))
    today = datetime.combine(datetime.now(UTC).date(), datetime.min.time(), UTC)
    with connect(url, "bench") as db, connect(url, "gateway-rollups") as own:
        grouped_s = _took_s(lambda: db.execute(_GROUPED, prepare=False))
        begin_noting(db)
        return (
            {"units": given.units, "readings": rows}
            | _rolled(own, today, rows, grouped_s)
            | _charts(db, today)
            | _deleted(db, today - timedelta(days=given.days))
        )


def _rolled(own: Connection, today: datetime, rows: int, grouped_s: float) -> dict[str, Any]:
    """All but the last day by whole days, as after an upgrade; the last one hour by hour, as in ordinary life."""
    now = today - timedelta(days=1) + rollups.GRACE
    rolling = Rolling(own, lambda: now, _KEPT)
    steps: list[float] = []
    whole_s = _turns(rolling, steps)
    by_hour_s = 0.0
    for hour in range(1, 25):
        now = today - timedelta(days=1) + timedelta(hours=hour) + rollups.GRACE
        by_hour_s += _turns(rolling, steps)
    last = own.execute("SELECT count(*) AS n FROM rollup_hour WHERE begins >= %s", [today - timedelta(days=1)])
    hours = (last.fetchone() or {"n": 0})["n"]
    return {
        "roll_ratio": round((whole_s + by_hour_s) / grouped_s, 2),
        "us_per_reading": round(1e6 * (whole_s + by_hour_s) / rows, 2),
        "us_per_hour": round(1e6 * by_hour_s / max(1, hours), 1),
        "longest_step_s": round(max(steps), 3),
    }


def _turns(rolling: Rolling, steps: list[float]) -> float:
    """Turn until nothing is left; returns the seconds, and adds those of each turn."""
    before = len(steps)
    is_more = True
    while is_more:
        begun = time.perf_counter()
        is_more = rolling.turn()
        steps.append(time.perf_counter() - begun)
    return sum(steps[before:])


def _deleted(db: Connection, day: datetime) -> dict[str, Any]:
    """What it costs to delete a day of readings unit by unit, instead of dropping it."""
    units = [row["id"] for row in db.execute("SELECT id FROM unit ORDER BY id")]
    deleted = 0
    begun = time.perf_counter()
    for start in range(0, len(units), 50):
        arguments = [units[start : start + 50], day, day + timedelta(days=1)]
        row = db.execute("SELECT telemetry_forget(%s::bigint[], %s, %s) AS n", arguments).fetchone()
        deleted += row["n"] if row else 0
    return {"deleted": deleted, "us_per_deleted": round(1e6 * (time.perf_counter() - begun) / max(1, deleted), 2)}


def _charts(db: Connection, today: datetime) -> dict[str, Any]:
    row = db.execute("SELECT unit_id AS unit, metric_id AS metric FROM telemetry LIMIT 1").fetchone()
    assert row is not None  # noqa: S101 - it was filled
    for back in (0, 365):
        db.execute("SELECT rollup_make_room(%s)", [(today - timedelta(days=back)).date()])
    db.execute(_A_YEAR, row | {"today": today})
    db.execute("VACUUM ANALYZE rollup_day, rollup_hour")
    spans = {"day": timedelta(days=1), "month": timedelta(days=31), "year": timedelta(days=366)}
    took: dict[str, list[float]] = {name: [] for name in spans}
    for _ in range(_CHARTS):
        for name, span in spans.items():
            asked = partial(history, db, ALL_UNITS, row["unit"], row["metric"], today - span, today, _POINTS)
            took[name].append(_took_s(asked))
    p50 = {name: statistics.median(times) for name, times in took.items()}
    return {
        "year_ratio": round(p50["year"] / p50["day"], 2),
        "chart_p50_ms": {name: round(1_000 * each, 2) for name, each in p50.items()},
    }


def _took_s(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
