"""The telemetry table: partitions made in time, and binary COPY that is exact to the last bit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import numpy as np
import pytest

from gateway.core.clock import from_us, to_us
from gateway.store import UniqueViolation, connect
from gateway.store.copy import copy_columns, timestamps
from gateway.store.timeseries import TimeSeries

pytestmark = pytest.mark.both

DAY = date(2026, 7, 1)
DAYS = [DAY + timedelta(days=n) for n in range(3)]


def columns(*times_us: int, unit: int = 7, value: float = 1.5) -> dict[str, np.ndarray]:
    time = np.array(times_us, np.int64)
    return {
        "time": timestamps(time),
        "unit_id": np.full(len(time), unit, np.int64),
        "metric_id": np.full(len(time), 3, np.int16),
        "value": np.full(len(time), value),
        "received_at": timestamps(time + 1),
        "late": np.zeros(len(time), np.bool_),
    }


def noon_us(day: date) -> int:
    return to_us(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def partitions(db) -> list[str]:
    rows = db.execute(
        "SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
        " WHERE inhparent = 'telemetry'::regclass ORDER BY 1"
    )
    return [row["name"] for row in rows]


@pytest.fixture
def partitioned(db) -> TimeSeries:
    series = TimeSeries(db)
    if series.is_hypertable:
        pytest.skip("this server has TimescaleDB, which makes its chunks by itself")
    return series


def test_telemetry_is_a_hypertable_where_timescaledb_is_and_partitioned_elsewhere(db):
    has_timescale = db.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None
    assert TimeSeries(db).is_hypertable == has_timescale
    kind = db.execute("SELECT relkind::text FROM pg_class WHERE oid = 'telemetry'::regclass").fetchone()
    assert kind == {"relkind": "r" if has_timescale else "p"}
    key = db.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'telemetry_key'").fetchone()
    assert "UNIQUE" in key["indexdef"]
    assert '(unit_id, metric_id, "time" DESC)' in key["indexdef"]


def test_to_create_it_again_changes_nothing(db):
    TimeSeries(db).create()
    TimeSeries(db).ensure_days([DAY])
    copy_columns(db, "telemetry", columns(noon_us(DAY)))
    TimeSeries(db).create()
    assert db.execute("SELECT count(*) FROM telemetry").fetchone() == {"count": 1}


def test_each_day_gets_its_own_partition_once(partitioned, db):
    partitioned.ensure_days(DAYS)
    partitioned.ensure_days(DAYS)
    TimeSeries(db).ensure_days(DAYS[1:])
    assert partitions(db) == ["telemetry_20260701", "telemetry_20260702", "telemetry_20260703"]


def test_a_day_goes_from_midnight_to_midnight_in_utc(partitioned, db):
    """The server's own zone must not move the bounds."""
    db.execute("SET timezone = 'Pacific/Auckland'")
    partitioned.ensure_days(DAYS)
    midnight = noon_us(DAYS[1]) - 12 * 3_600_000_000
    copy_columns(db, "telemetry", columns(midnight - 1, midnight))
    rows = db.execute("SELECT tableoid::regclass::text AS place FROM telemetry ORDER BY time").fetchall()
    assert [row["place"] for row in rows] == ["telemetry_20260701", "telemetry_20260702"]


def test_several_roles_may_want_the_same_days_at_once(partitioned, url):
    together = Barrier(4)

    def want() -> None:
        with connect(url) as own:
            series = TimeSeries(own)
            assert not series.is_hypertable
            together.wait(10)
            series.ensure_days(DAYS)

    with ThreadPoolExecutor(4) as threads:
        for future in [threads.submit(want) for _ in range(4)]:
            future.result(30)
    with connect(url) as own:
        assert len(partitions(own)) == len(DAYS)


def test_a_table_that_a_crash_left_unattached_is_made_anew(partitioned, db):
    db.execute("CREATE TABLE telemetry_20260701 (something_else int)")
    partitioned.ensure_days([DAY])
    copy_columns(db, "telemetry", columns(noon_us(DAY)))
    assert partitions(db) == ["telemetry_20260701"]


def test_every_partition_refuses_the_same_reading_twice(db):
    TimeSeries(db).ensure_days([DAY])
    copy_columns(db, "telemetry", columns(noon_us(DAY)))
    with pytest.raises(UniqueViolation):
        copy_columns(db, "telemetry", columns(noon_us(DAY), value=2.0))


def test_old_days_go_and_the_day_itself_stays(db):
    series = TimeSeries(db)
    series.ensure_days(DAYS)
    copy_columns(db, "telemetry", columns(*map(noon_us, DAYS)))
    assert series.drop_before(DAYS[1]) == 1
    assert series.drop_before(DAYS[1]) == 0
    rows = db.execute("SELECT time FROM telemetry ORDER BY time").fetchall()
    assert [row["time"] for row in rows] == [from_us(noon_us(day)) for day in DAYS[1:]]


def test_a_day_that_went_can_be_made_again(db):
    """The same object must not believe that it is still there."""
    series = TimeSeries(db)
    series.ensure_days(DAYS)
    series.drop_before(DAYS[1])
    series.ensure_days(DAYS)
    copy_columns(db, "telemetry", columns(noon_us(DAY)))
    assert db.execute("SELECT count(*) AS n FROM telemetry").fetchone() == {"n": 1}


def test_copy_writes_every_number_exactly(db):
    db.execute("CREATE TABLE numbers (time timestamptz, big bigint, small smallint, real float8, flag boolean)")
    limits, small = np.iinfo(np.int64), np.iinfo(np.int16)
    moments = [from_us(0), datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, 12, 0, 0, 1, UTC)]
    moments += [datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)]
    big = [limits.min, limits.max, -1, 0, 2**53 + 1]
    smalls = [small.min, small.max, -1, 0, 1]
    floats = [-0.1, -1.7976931348623157e308, 5e-324, float("-inf"), 0.1 + 0.2]
    flags = [True, False, True, True, False]
    copy_columns(
        db,
        "numbers",
        {
            "time": timestamps(np.array([to_us(moment) for moment in moments])),
            "big": np.array(big, np.int64),
            "small": np.array(smalls, np.int16),
            "real": np.array(floats),
            "flag": np.array(flags),
        },
    )
    rows = db.execute("SELECT time, big, small, real, flag FROM numbers").fetchall()
    assert [tuple(row.values()) for row in rows] == list(zip(moments, big, smalls, floats, flags, strict=True))


def test_copy_takes_a_slice_an_empty_batch_and_a_name_that_needs_quotes(db):
    db.execute('CREATE TABLE "odd ""name" ("order" int, "a b" float8)')
    copy_columns(db, 'odd "name', {"order": np.arange(9, dtype=np.int32)[::3], "a b": np.arange(9.0)[::3]})
    copy_columns(db, 'odd "name', {"order": np.zeros(0, np.int32), "a b": np.zeros(0)})
    rows = db.execute('SELECT * FROM "odd ""name"').fetchall()
    assert [tuple(row.values()) for row in rows] == [(0, 0.0), (3, 3.0), (6, 6.0)]


def test_a_refused_row_leaves_nothing_of_its_batch(db):
    TimeSeries(db).ensure_days([DAY])
    with pytest.raises(UniqueViolation):
        copy_columns(db, "telemetry", columns(noon_us(DAY), noon_us(DAY) + 1, noon_us(DAY)))
    assert db.execute("SELECT count(*) FROM telemetry").fetchone() == {"count": 0}
