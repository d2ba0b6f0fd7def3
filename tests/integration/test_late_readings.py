"""Late readings in a store with a past: only their own days are looked at, and days are made beside the stream."""

from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import numpy as np
import pytest

from gateway.core.clock import to_us
from gateway.core.readings import US_A_DAY, Readings
from gateway.ingest import commit
from gateway.readings import waiting
from gateway.readings.repository import SPANS_MAX, Conflicts, day_spans, store_readings
from gateway.readings.waiting import WaitingReadings, move_waiting
from gateway.store import Database, connect
from gateway.store.timeseries import TimeSeries
from tests.dsl.ingest import running_ingest
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until
from tests.factories import make_fleet

pytestmark = pytest.mark.both

FIRST = date(2026, 6, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(30)]


def noon_us(day: date) -> int:
    return to_us(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


def store_late(tx, *days: date, value: float = 1.0, without_room: Collection[date] = ()) -> Conflicts:
    return store_late_at(tx, [noon_us(day) for day in days], value, without_room)


def store_late_at(tx, times: Sequence[int], value: float = 1.0, without_room: Collection[date] = ()) -> Conflicts:
    time = np.array(times, np.int64)
    readings = Readings.of(np.full(len(time), 7), np.full(len(time), 3), time, np.full(len(time), value), 0, time + 1)
    yes = np.ones(len(time), np.bool_)
    return store_readings(tx, readings, yes, yes, without_room=without_room)


def rows(db, table: str) -> list[tuple[date, float]]:
    return [
        (row["time"].date(), row["value"])
        for row in db.execute(f"SELECT time, value FROM {table} ORDER BY time, value")
    ]


def days_looked_at(db) -> set[date]:
    """The partitions that this transaction has locked, which it does to plan on or to touch them."""
    found = db.execute(
        "SELECT DISTINCT c.relname AS name FROM pg_locks l JOIN pg_inherits i ON i.inhrelid = l.relation"
        " JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE l.pid = pg_backend_pid() AND i.inhparent = 'telemetry'::regclass"
    )
    return {date.fromisoformat(row["name"].removeprefix("telemetry_")) for row in found}


@pytest.fixture
def partitioned(db) -> TimeSeries:
    series = TimeSeries(db)
    if series.is_hypertable:
        pytest.skip("this server has TimescaleDB, which shows its chunks otherwise")
    series.ensure_days(DAYS)
    return series


# -- Only the asked days --------------------------------------------------------------------------------------


def test_a_late_reading_is_looked_up_in_its_own_day_however_many_days_are_kept(partitioned, db):
    """Also after some batches: of a prepared statement the server may take one plan for all times."""
    for _ in range(8):
        with db.transaction():
            store_late(db, DAYS[4])
            assert days_looked_at(db) == {DAYS[4]}
    prepared = [row["statement"] for row in db.execute("SELECT statement FROM pg_prepared_statements")]
    assert prepared
    assert [each for each in prepared if "JOIN LATERAL" in each] == []


def test_late_readings_of_several_days_are_looked_up_in_those_days_only(partitioned, db):
    asked = {DAYS[1], DAYS[2], DAYS[9], DAYS[28]}
    with db.transaction():
        store_late(db, *asked)
        assert days_looked_at(db) == asked
    with db.transaction():
        store_late(db, *asked, value=2.0)
    assert rows(db, "telemetry") == [(day, 1.0) for day in sorted(asked)]
    assert rows(db, "conflicting_reading") == [(day, 2.0) for day in sorted(asked)]


def test_the_runs_of_days_are_bounded_and_leave_out_no_day():
    every_third = np.array([noon_us(FIRST + timedelta(days=3 * n)) for n in range(100)] + [noon_us(date(2020, 1, 1))])
    spans = day_spans(every_third)
    assert len(spans) == SPANS_MAX
    assert spans[0] == (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)), "the widest gap stays"
    for time in every_third.tolist():
        assert sum(to_us(begin) <= time < to_us(end) for begin, end in spans) == 1


@pytest.mark.parametrize(("days", "runs"), [([0], 1), ([0, 1, 2], 1), ([0, 2], 2), ([5, 0, 1, 5], 2)])
def test_days_that_follow_each_other_are_one_run(days, runs):
    assert len(day_spans(np.array(days) * US_A_DAY)) == runs


def test_no_connection_of_ours_compiles_statements(url, db):
    with Database(url, "test", max_size=1) as database, database.read() as pooled:
        assert [each.execute("SHOW jit").fetchone()["jit"] for each in (db, pooled)] == ["off", "off"]


# -- Days that have no room yet -------------------------------------------------------------------------------


def test_of_many_missing_days_only_the_newest_few_are_made_at_once(db):
    series = TimeSeries(db)
    if series.is_hypertable:
        pytest.skip("this server has TimescaleDB, which makes its chunks by itself")
    assert series.make_few(DAYS, 2) == frozenset(DAYS[:-2])
    assert series.existing_days() == set(DAYS[-2:])
    assert series.make_few(DAYS[-2:], 0) == frozenset()


def test_on_a_hypertable_a_day_without_a_chunk_is_one_that_waits(db):
    """A stand-in for what TimescaleDB says of its chunks; one of them spans two days."""
    if TimeSeries(db).is_hypertable:
        pytest.skip("this server has TimescaleDB")
    db.execute("CREATE SCHEMA timescaledb_information")
    db.execute(
        "CREATE VIEW timescaledb_information.chunks AS SELECT current_schema()::text AS hypertable_schema,"
        " 'telemetry'::text AS hypertable_name, timestamptz '2026-06-01' AS range_start,"
        " timestamptz '2026-06-03' AS range_end"
    )
    series = TimeSeries(db)
    series.is_hypertable = True
    assert series.make_few(DAYS[:6], 2) == {DAYS[2], DAYS[3]}
    assert series.make_few(DAYS[:2], 0) == frozenset()


@pytest.mark.timescale
def test_on_timescaledb_readings_wait_for_their_chunk_and_come_to_it(db):
    series = TimeSeries(db)
    without_room = series.make_few(DAYS, 2)
    assert len(without_room) == len(DAYS) - 2
    with db.transaction():
        store_late(db, *DAYS, without_room=without_room)
    while move_waiting(db, series):
        pass
    assert rows(db, "telemetry") == [(day, 1.0) for day in DAYS]


def test_readings_of_days_without_room_wait_and_then_stand_in_their_days_once(db):
    series = TimeSeries(db)
    with db.transaction():
        store_late(db, *DAYS, without_room=series.make_few(DAYS, 2))
    with db.transaction():
        store_late(db, *DAYS, without_room=series.make_few(DAYS, 0))  # sent again
    assert len(rows(db, "telemetry_waiting")) == len(DAYS) - 2
    assert len(rows(db, "telemetry")) == 2
    moved = []
    while many := move_waiting(db, series):
        moved.append(many)
    assert moved == [1] * (len(DAYS) - 2), "a day at a time"
    assert rows(db, "telemetry") == [(day, 1.0) for day in DAYS]
    assert (rows(db, "telemetry_waiting"), rows(db, "conflicting_reading")) == ([], [])


def test_many_readings_of_one_day_are_moved_some_at_a_time(db):
    with db.transaction():
        store_late_at(db, [noon_us(FIRST) + n for n in range(5)], without_room=[FIRST])
    series = TimeSeries(db)
    assert [move_waiting(db, series, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert rows(db, "telemetry") == [(FIRST, 1.0)] * 5


def test_a_contradiction_of_what_waits_is_kept_and_the_first_stands(db):
    with db.transaction():
        store_late(db, FIRST, value=1.0, without_room=[FIRST])
        store_late(db, FIRST, value=2.0, without_room=[FIRST])
    move_waiting(db, TimeSeries(db))
    assert (rows(db, "telemetry"), rows(db, "conflicting_reading")) == ([(FIRST, 1.0)], [(FIRST, 2.0)])


def test_what_its_day_has_already_is_not_moved_over_it(db):
    """The day may be made meanwhile, by maintenance."""
    with db.transaction():
        store_late(db, FIRST, DAYS[1], value=1.0, without_room=[FIRST, DAYS[1]])
    series = TimeSeries(db)
    series.ensure_days([FIRST, DAYS[1]])
    with db.transaction():
        store_late(db, FIRST, value=2.0)
        store_late(db, DAYS[1], value=1.0)
    while move_waiting(db, series):
        pass
    assert rows(db, "telemetry") == [(FIRST, 2.0), (DAYS[1], 1.0)]
    assert (rows(db, "conflicting_reading"), rows(db, "telemetry_waiting")) == ([(FIRST, 1.0)], [])


def test_a_move_that_ends_halfway_changes_nothing(db, monkeypatch):
    with db.transaction():
        store_late(db, FIRST, without_room=[FIRST])
    with monkeypatch.context() as patched:
        patched.setattr(waiting, "store_staged", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move_waiting(db, TimeSeries(db))
    assert (rows(db, "telemetry"), rows(db, "telemetry_waiting")) == ([], [(FIRST, 1.0)])
    assert move_waiting(db, TimeSeries(db)) == 1
    assert rows(db, "telemetry") == [(FIRST, 1.0)]


def test_two_processes_that_move_at_once_move_everything_once(url, db):
    """Ingest may have been taken over while its old process still moves."""
    with db.transaction():
        store_late(db, *DAYS[:8], without_room=DAYS)
    together = Barrier(2)

    def move() -> None:
        with connect(url, "test") as own:
            series = TimeSeries(own)
            together.wait(10)
            while move_waiting(own, series):
                pass

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(move) for _ in range(2)]:
            future.result(30)
    assert rows(db, "telemetry") == [(day, 1.0) for day in DAYS[:8]]
    assert rows(db, "telemetry_waiting") == []


def test_a_unit_that_sends_of_many_days_holds_up_nobody(url, db, mosquitto_port, monkeypatch):
    """Whatever making the days costs: nothing of them is made before another unit's reading is stored."""
    make_fleet(url)
    now = datetime.now(UTC)
    with monkeypatch.context() as patched:
        patched.setattr(WaitingReadings, "run", lambda _, stop: stop.wait())
        with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices:
            for age in range(60, 0, -1):
                devices.reading("P1", (now - timedelta(days=age)).timestamp(), temp_c=age)
            devices.reading("P2", temp_c=20).flush()
            until(lambda: db.execute("SELECT FROM telemetry WHERE value = 20").rowcount == 1)
            stored = [value for table in ("telemetry", "telemetry_waiting") for _, value in rows(db, table)]
            assert Counter(stored) == Counter(range(1, 61)) + Counter([20])
            batches = db.execute("SELECT max(seq) AS n FROM ingest_journal").fetchone()["n"]
            assert len(rows(db, "telemetry_waiting")) >= 61 - commit.DAYS_ON_THE_ROAD * batches
    with running_ingest(url, mosquitto_port):
        until(lambda: len(rows(db, "telemetry")) == 61)
    assert rows(db, "telemetry_waiting") == []
