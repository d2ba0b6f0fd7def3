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


# -- TimescaleDB's columnstore ----------------------------------------------------------------------------------------


def stand_in(db, call: str) -> None:
    """What TimescaleDB says of three chunks, and a call of it that notes which chunk it was asked for."""
    db.execute("DROP TABLE telemetry CASCADE")
    db.execute("CREATE TABLE telemetry (time timestamptz)")
    db.execute("CREATE SCHEMA elsewhere")
    db.execute("CREATE OR REPLACE FUNCTION timescale_schema() RETURNS text LANGUAGE sql AS $$ SELECT 'elsewhere' $$")
    db.execute("CREATE TABLE chunk (chunk_name text, range_start timestamptz, range_end timestamptz, nth serial)")
    for number, day in enumerate(DAYS, 1):
        db.execute(f"CREATE TABLE chunk_{number} ()")
        db.execute("INSERT INTO chunk VALUES (%s, %s, %s)", [f"chunk_{number}", day, day + timedelta(days=1)])
    db.execute("CREATE TABLE asked_for (chunk regclass)")
    db.execute("CREATE SCHEMA timescaledb_information")
    db.execute(
        "CREATE VIEW timescaledb_information.chunks AS SELECT current_schema()::text AS hypertable_schema,"
        " 'telemetry' AS hypertable_name, current_schema()::text AS chunk_schema, chunk_name, range_start, range_end,"
        " EXISTS (SELECT FROM asked_for a WHERE a.chunk = chunk_name::regclass) AS is_compressed FROM chunk"
    )
    db.execute(
        "CREATE VIEW timescaledb_information.hypertables AS SELECT current_schema()::text AS hypertable_schema,"
        " 'telemetry' AS hypertable_name, true AS compression_enabled"
    )
    returning = "RETURNING $1" if "RETURNS" in call else ""
    db.execute(f"CREATE {call} LANGUAGE sql AS $$ INSERT INTO public.asked_for VALUES ($1) {returning} $$")


@pytest.mark.parametrize(
    "call",
    [
        "PROCEDURE elsewhere.convert_to_columnstore(regclass)",
        "FUNCTION elsewhere.compress_chunk(regclass) RETURNS regclass",
    ],
    ids=["since 2.18", "before"],
)
def test_old_chunks_are_put_into_the_columnstore_by_the_call_of_its_version(partitioned, db, call):
    """A stand-in for TimescaleDB: each chunk is asked for once, the oldest first, and none that is too new."""
    stand_in(db, call)
    assert partitioned.to_columnstore(DAYS[2]) == 2
    assert partitioned.to_columnstore(DAYS[2]) == 0
    asked = [row["name"] for row in db.execute("SELECT chunk::text AS name FROM asked_for")]
    assert asked == ["chunk_1", "chunk_2"]


def test_an_edition_without_a_columnstore_keeps_rows(partitioned, db):
    stand_in(db, "PROCEDURE elsewhere.convert_to_columnstore(regclass)")
    db.execute("DROP PROCEDURE elsewhere.convert_to_columnstore(regclass)")
    db.execute(
        "CREATE PROCEDURE elsewhere.convert_to_columnstore(regclass) LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'not under this license' USING ERRCODE = 'feature_not_supported'; END $$"
    )
    assert partitioned.to_columnstore(DAYS[2]) == 0


def test_without_timescaledb_there_is_no_columnstore(partitioned, db):
    partitioned.ensure_days(DAYS)
    assert partitioned.to_columnstore(DAYS[2]) == 0


def test_the_columnstore_keeps_each_metric_of_a_unit_together_in_the_order_of_the_key(db):
    """So that charts, recounts and late readings take apart only what is of their unit and metric."""
    text = db.execute("SELECT pg_get_functiondef('telemetry_to_columnstore(date)'::regprocedure) AS text").fetchone()
    statement = " ".join(text["text"].split())
    assert (
        "ALTER TABLE telemetry SET (timescaledb.compress, timescaledb.compress_segmentby = 'unit_id, metric_id',"
        " timescaledb.compress_orderby = 'time DESC')" in statement
    )


@pytest.mark.timescale
def test_on_timescaledb_days_in_the_columnstore_still_take_late_readings(db):
    series = TimeSeries(db)
    copy_columns(db, "telemetry", columns(*map(noon_us, DAYS)))
    assert series.to_columnstore(DAYS[2]) == 2
    assert series.to_columnstore(DAYS[2]) == 0
    stored = "SELECT count(*) AS n FROM timescaledb_information.chunks WHERE is_compressed"
    assert db.execute(stored).fetchone() == {"n": 2}
    with pytest.raises(UniqueViolation):
        copy_columns(db, "telemetry", columns(noon_us(DAY), value=2.0))
    copy_columns(db, "telemetry", columns(noon_us(DAY) + 1))
    assert db.execute("SELECT count(*) AS n FROM telemetry").fetchone() == {"n": 4}
