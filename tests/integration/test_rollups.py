"""Readings by hour and by day are what a full recount gives, whatever comes late and wherever rolling was killed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.readings import rollups
from gateway.readings.repository import begin_noting
from gateway.readings.roller import Rolling, next_size
from gateway.readings.waiting import move_waiting
from gateway.store import Connection, connect, migrate
from gateway.store.timeseries import TimeSeries
from tests.dsl.owners import make_units
from tests.dsl.rolled import KEPT, HandClock, assert_equal_to_a_recount, roll_all, rolled_to, store, stored

pytestmark = pytest.mark.both

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
METRICS = (1, 2)


class Killed(Exception):
    """The process ended here."""


class Mortal:
    """A connection whose process is killed at its n-th statement: what is open is rolled back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.statements_left: int | None = None

    def execute(self, *args, **kwargs):
        if self.statements_left == 0:
            self.statements_left = None
            raise Killed
        if self.statements_left is not None:
            self.statements_left -= 1
        return self._connection.execute(*args, **kwargs)

    def transaction(self):
        return self._connection.transaction()


def units(db: Connection, count: int) -> list[int]:
    make_units(db, *(f"P{n}" for n in range(count)))
    return [row["id"] for row in db.execute("SELECT id FROM unit ORDER BY id")]


@pytest.fixture
def mine(url) -> Iterator[Connection]:
    """The roller's own connection."""
    with connect(url, "gateway-rollups") as connection:
        yield connection


@pytest.mark.parametrize("seed", range(6))
def test_whatever_comes_late_and_wherever_it_is_killed_all_is_as_a_full_recount_gives(db, mine, seed):
    """Values are quarters, so that sums are exact in any order."""
    dice = random.Random(seed)
    ids = units(db, 4)
    begin_noting(db)
    clock = HandClock(BEGIN + timedelta(hours=5))
    mortal = Mortal(mine)
    kills = 0
    rolling = Rolling(mortal, clock, KEPT)
    for _ in range(60):
        clock.now += timedelta(minutes=dice.choice((1, 20, 90, 300)))
        since = max(BEGIN, clock.now - timedelta(hours=dice.choice((1, 6, 72))))
        minutes = int((clock.now - since) / timedelta(minutes=1))
        store(
            db,
            [
                (dice.choice(ids), dice.choice(METRICS), since + timedelta(minutes=dice.randint(0, minutes)),
                 dice.randint(-40, 40) / 4)
                for _ in range(dice.randint(1, 40))
            ],
        )  # fmt: skip
        rolling.size = dice.randint(1, 4)
        for _ in range(dice.randint(0, 6)):
            if dice.random() < 0.4:
                mortal.statements_left = dice.randint(0, 12)
            try:
                rolling.turn()
            except Killed:
                kills += 1
                rolling = Rolling(mortal, clock, KEPT)
            mortal.statements_left = None
    assert kills > 20
    conflicting = db.execute("SELECT count(*) AS n FROM conflicting_reading").fetchone()
    assert conflicting["n"] > 0
    roll_all(rolling)
    assert rolled_to(db) == rollups.closing(clock.now)
    assert len(stored(db, "rollup_hour", clock.now)) > 300
    assert_equal_to_a_recount(db)


def test_an_hour_is_closed_a_quarter_after_its_end():
    assert rollups.closing(BEGIN + timedelta(hours=2, minutes=14)) == BEGIN + timedelta(hours=1)
    assert rollups.closing(BEGIN + timedelta(hours=2, minutes=15)) == BEGIN + timedelta(hours=2)


def test_nothing_is_rolled_up_before_somebody_notes_late_readings(db, mine):
    """An ingest of an earlier version may run beside a new worker."""
    (unit,) = units(db, 1)
    store(db, [(unit, 1, BEGIN, 1.0)])
    rolling = Rolling(mine, HandClock(BEGIN + timedelta(hours=5)), KEPT)
    roll_all(rolling)
    assert rolled_to(db) is None
    begin_noting(db)
    roll_all(rolling)
    assert rolled_to(db) == BEGIN + timedelta(hours=4)


def test_what_was_stored_and_not_yet_committed_when_an_hour_was_closed_is_waited_for(url, db, mine):
    (unit,) = units(db, 1)
    begin_noting(db)
    store(db, [(unit, 1, BEGIN, 1.0)])
    rolling = Rolling(mine, HandClock(BEGIN + timedelta(hours=2)), KEPT)
    with connect(url, "gateway-ingest") as writer, writer.transaction():
        store(writer, [(unit, 1, BEGIN + timedelta(minutes=1), 2.0)])
        roll_all(rolling)
        assert rollups.mark(db).closed_to == BEGIN + timedelta(hours=1)
        assert rolled_to(db) is None
        restarted = Rolling(mine, HandClock(BEGIN + timedelta(hours=2)), KEPT)
        roll_all(restarted)
        assert rolled_to(db) is None, "a restart asks again who writes"
    roll_all(rolling)
    assert rolled_to(db) == BEGIN + timedelta(hours=1)
    assert_equal_to_a_recount(db)
    assert db.execute("SELECT count(*) AS n FROM rollup_touched").fetchone() == {"n": 0}


def test_ingest_waits_for_no_lock_whatever_rolling_has_open(url, db, mine):
    """Each step is left open while a batch for the same hours is stored, one that would wait a millisecond at most."""
    (unit,) = units(db, 1)
    begin_noting(db)
    store(db, [(unit, 1, BEGIN + timedelta(minutes=n), 1.0) for n in range(0, 1_500, 5)])
    clock = HandClock(BEGIN + timedelta(hours=30))
    rolling = Rolling(mine, clock, KEPT)
    with connect(url, "gateway-ingest") as ingest:
        ingest.execute("SET lock_timeout = '1ms'")
        for step in range(40):
            with mine.transaction():
                rolling.turn()
                store(ingest, [(unit, 1, BEGIN + timedelta(minutes=5 * step, seconds=1), 2.0)])
            clock.now += timedelta(minutes=20)
    roll_all(rolling)
    assert_equal_to_a_recount(db)


def test_only_late_readings_are_noted_and_each_hour_of_a_batch_once(db, mine):
    (unit,) = units(db, 1)
    begin_noting(db)
    store(db, [(unit, 1, BEGIN, 1.0)])
    roll_all(Rolling(mine, HandClock(BEGIN + timedelta(hours=3)), KEPT))
    times = [BEGIN + timedelta(minutes=n) for n in (1, 2, 3, 61, 119, 121, 179)]
    store(db, [(unit, 1, at, 2.0) for at in times])
    noted = [row["begins"] for row in db.execute("SELECT begins FROM rollup_touched ORDER BY begins")]
    assert noted == [BEGIN, BEGIN + timedelta(hours=1)]


def test_readings_that_waited_for_their_day_are_counted_when_they_come_to_it(db, mine):
    if TimeSeries(db).is_hypertable:
        pytest.skip("this server has TimescaleDB, which makes its chunks by itself")
    (unit,) = units(db, 1)
    begin_noting(db)
    store(db, [(unit, 1, BEGIN, 1.0)])
    rolling = Rolling(mine, HandClock(BEGIN + timedelta(hours=30)), KEPT)
    roll_all(rolling)
    long_ago = BEGIN - timedelta(days=40)
    store(db, [(unit, 1, long_ago, 7.0)], without_room=[long_ago.date()])
    assert db.execute("SELECT count(*) AS n FROM rollup_touched").fetchone() == {"n": 0}
    while move_waiting(db, TimeSeries(db)):
        pass
    roll_all(rolling)
    assert (long_ago, 7.0) in [(row[2], row[3]) for row in stored(db, "rollup_day", BEGIN)]
    assert_equal_to_a_recount(db)


def test_days_with_nothing_in_them_are_passed_over(db, mine):
    (unit,) = units(db, 1)
    begin_noting(db)
    store(db, [(unit, 1, BEGIN - timedelta(days=20), 1.0), (unit, 1, BEGIN, 2.0)])
    roll_all(Rolling(mine, HandClock(BEGIN + timedelta(days=2)), KEPT))
    assert len(stored(db, "rollup_day", BEGIN + timedelta(days=1))) == 2
    assert_equal_to_a_recount(db)


def test_values_whose_sum_no_number_holds_stop_nothing(db, mine):
    (unit,) = units(db, 1)
    begin_noting(db)
    store(db, [(unit, 1, BEGIN + timedelta(minutes=n), 1.7e308) for n in range(3)])
    store(db, [(unit, 2, BEGIN, 1.0)])
    roll_all(Rolling(mine, HandClock(BEGIN + timedelta(hours=2)), KEPT))
    hours = stored(db, "rollup_hour", BEGIN + timedelta(hours=1))
    assert [(row[1], row[4], row[6]) for row in hours] == [(1, 1.7e308, 3), (2, 1.0, 1)]


def test_a_step_that_took_long_is_followed_by_smaller_ones():
    assert next_size(100, 0.01) == 200
    assert next_size(100, 0.2) == 100
    assert next_size(100, 1.0) == 50
    assert next_size(1, 9.0) == 1
    assert next_size(5_000, 0.01) == 5_000


from_files = migrate.all_migrations


def test_a_store_from_before_rollups_is_rolled_up_from_its_first_day_on(empty_url, monkeypatch):
    monkeypatch.setattr(migrate, "all_migrations", lambda: [each for each in from_files() if each[0] < "0032"])
    migrate.migrate(empty_url)
    with connect(empty_url) as db:
        TimeSeries(db).ensure_days([(BEGIN + timedelta(days=n)).date() for n in range(12)])
        db.execute(
            "INSERT INTO telemetry SELECT %s + n * interval '7 minutes', 1 + n %% 3, 1 + n %% 2, n %% 40 / 4.0, now(),"
            " false FROM generate_series(0, 2400) n",
            [BEGIN],
        )
    monkeypatch.undo()
    assert "0032_pre_rollups.sql" in migrate.migrate(empty_url)
    with connect(empty_url) as db, connect(empty_url) as mine:
        assert rollups.mark(db) is None
        begin_noting(db)
        rolling = Rolling(mine, HandClock(BEGIN + timedelta(days=11, hours=15, minutes=40)), KEPT)
        rolling.turn()
        assert rolled_to(db) <= BEGIN + timedelta(days=1), "a day after the other, not all at once"
        roll_all(rolling)
        assert rolled_to(db) == BEGIN + timedelta(days=11, hours=15)
        assert_equal_to_a_recount(db)
