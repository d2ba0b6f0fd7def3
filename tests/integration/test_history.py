"""A metric over any time: readings where they are few, hours, or days; each owner has their own time of it."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.readings import history as module
from gateway.readings.history import ALL_UNITS, Bucket, History, by_day, history
from gateway.readings.repository import begin_noting
from gateway.readings.roller import Rolling
from gateway.registrations import owned
from gateway.store import Connection, connect
from gateway.store.owner import act_as_owner
from tests.dsl.owners import import_owner, make_person, make_units
from tests.dsl.rolled import KEPT, HandClock, roll_all, store

pytestmark = pytest.mark.both

NOW = datetime(2026, 6, 30, 15, 40, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVERY = timedelta(minutes=20)
DAYS = 45


def rising(at: datetime) -> float:
    """Another value at each time, so that it is seen what a bucket holds."""
    return (at - NOW) / timedelta(minutes=1)


@pytest.fixture
def unit(db, url) -> tuple[int, int]:
    """A unit and a metric with 45 days of readings, one in twenty minutes, rolled up."""
    make_units(db, "P1")
    (row,) = db.execute("SELECT u.id AS unit, m.id AS metric FROM unit u, metric m WHERE m.name = 'temp_c'")
    begin_noting(db)
    times = [NOW - n * EVERY for n in range(DAYS * 72)]
    store(db, [(row["unit"], row["metric"], at, rising(at)) for at in times])
    db.execute("INSERT INTO latest VALUES (%s, %s, %s, 0, %s)", [row["unit"], row["metric"], NOW, NOW])
    with connect(url, "gateway-rollups") as own:
        roll_all(Rolling(own, HandClock(NOW), KEPT))
    return row["unit"], row["metric"]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """So few readings are few that 45 days of one in twenty minutes are many."""
    monkeypatch.setattr(module, "RAW_READS", 500)


def of(db: Connection, unit: tuple[int, int], span: timedelta, limit: int = 5_000) -> History:
    return history(db, ALL_UNITS, *unit, NOW - span, NOW + DAY, limit)


def test_a_day_is_shown_as_readings(db, unit):
    shown = of(db, unit, DAY)
    assert (shown.step, list(shown.bands)) == ("reading", [])
    assert shown.points[-1] == (NOW, 0.0)
    assert len(shown.points) == 73


def test_a_longer_time_is_too_where_they_are_few(db, unit, monkeypatch):
    monkeypatch.setattr(module, "RAW_READS", 10_000)
    shown = of(db, unit, 40 * DAY)
    assert (shown.step, len(shown.points)) == ("reading", 40 * 72 + 1)


def test_a_month_is_shown_by_hour_to_its_last_minute(db, unit):
    """The hours that are not rolled up yet are counted from readings."""
    shown = of(db, unit, 30 * DAY)
    assert shown.step == "hour"
    begins = [at for at, _ in shown.points]
    assert begins == [NOW.replace(minute=0) - n * HOUR for n in range(720, -1, -1)]
    for (at, mean), (low, high) in zip(shown.points, shown.bands, strict=True):
        values = [rising(at + n * EVERY) for n in range(3) if at + n * EVERY <= NOW]
        assert (low, high) == (values[0], values[-1])
        assert mean == pytest.approx(sum(values) / len(values))


def test_a_year_is_shown_by_day_to_its_last_minute(db, unit):
    shown = of(db, unit, 365 * DAY)
    assert shown.step == "day"
    assert [at for at, _ in shown.points] == [NOW.replace(hour=0, minute=0) - n * DAY for n in range(45, -1, -1)]
    assert shown.bands[-1] == (rising(NOW.replace(hour=0, minute=0)), 0.0)
    assert shown.bands[-2] == (
        rising(NOW.replace(hour=0, minute=0) - DAY),
        rising(NOW.replace(hour=0, minute=0) - EVERY),
    )
    assert [mean for _, mean in shown.points[1:]] == [pytest.approx(sum(band) / 2) for band in shown.bands[1:]]


def test_a_time_in_the_past_ends_where_it_was_asked_to(db, unit):
    until = NOW - 10 * DAY
    shown = history(db, ALL_UNITS, *unit, until - 7 * DAY, until, 5_000)
    assert shown.step == "hour"
    assert (shown.points[0][0], shown.points[-1][0]) == (
        (until - 7 * DAY).replace(minute=0),
        until.replace(minute=0),
    )


def test_with_room_for_few_points_days_take_the_place_of_hours(db, unit):
    shown = of(db, unit, 30 * DAY, limit=40)
    assert (shown.step, len(shown.points)) == ("day", 31)
    newest = of(db, unit, 365 * DAY, limit=10)
    assert (newest.step, len(newest.points), newest.points[-1]) == ("day", 10, shown.points[-1])


def test_of_a_unit_that_is_new_a_year_is_shown_as_the_time_there_is(db, unit):
    """A year by day would be a few points."""
    (row,) = db.execute("SELECT min(begins) AS first FROM rollup_day")
    db.execute("DELETE FROM rollup_day WHERE begins < %s", [NOW - 20 * DAY])
    db.execute("DELETE FROM rollup_hour WHERE begins < %s", [NOW - 20 * DAY])
    assert row["first"] < NOW - 40 * DAY
    shown = of(db, unit, 365 * DAY)
    assert shown.step == "hour"
    assert shown.points[0][0] > NOW - 20 * DAY


def test_where_hours_are_not_kept_days_are_shown(db, unit):
    db.execute("DELETE FROM rollup_hour")
    until = NOW - 10 * DAY
    shown = history(db, ALL_UNITS, *unit, until - 14 * DAY, until, 5_000)
    assert (shown.step, len(shown.points)) == ("day", 15)


def test_where_readings_are_not_kept_days_are_shown_although_they_are_few(db, unit, monkeypatch):
    monkeypatch.setattr(module, "RAW_READS", 10_000)
    db.execute("DELETE FROM telemetry WHERE time < %s", [NOW - 5 * DAY])
    shown = of(db, unit, 365 * DAY)
    assert (shown.step, len(shown.points)) == ("day", 46)


def test_before_anything_is_rolled_up_readings_are_shown(db, unit):
    db.execute("UPDATE rollup_mark SET rolled_to = NULL")
    assert of(db, unit, 365 * DAY).step == "reading"


def test_hours_make_days():
    def hour(n: int, low: float) -> Bucket:
        return Bucket(datetime(2026, 6, 1, tzinfo=UTC) + n * HOUR, low, low + 2, 6 * low, 3)

    days = by_day([hour(22, 5.0), hour(23, 1.0), hour(24, 7.0)])
    assert [(day.begins.day, day.low, day.high, day.total, day.readings) for day in days] == [
        (1, 1.0, 7.0, 36.0, 6),
        (2, 7.0, 9.0, 42.0, 3),
    ]
    assert days[0].mean == 6.0


# -- The fence ----------------------------------------------------------------------------------------------------


def mine(db: Connection, person: int, span: timedelta) -> History:
    (row,) = db.execute("SELECT public_id FROM unit")
    with db.transaction():
        act_as_owner(db, person)
        return owned.history(db, row["public_id"], "temp_c", NOW - span, NOW + DAY, 5_000)


def test_an_owner_has_the_hours_and_days_that_lie_whole_within_their_time(db, unit):
    ada, bob = make_person(db, "Ada").person_id, make_person(db, "Bob").person_id
    sold = NOW.replace(minute=10) - 40 * DAY
    import_owner(db, "P1", NOW - 400 * DAY, name="Bob")
    import_owner(db, "P1", sold, name="Ada")
    adas = mine(db, ada, 365 * DAY)
    assert (adas.step, adas.points[0][0]) == ("day", sold.replace(hour=0, minute=0) + DAY)
    assert adas.points[-1][0] == NOW.replace(hour=0, minute=0)
    bobs = mine(db, bob, 365 * DAY)
    assert (bobs.points[0][0], bobs.points[-1][0]) == (NOW - (DAYS * 72 - 1) * EVERY, sold + EVERY / 2 - EVERY)


def test_a_month_of_a_new_owner_begins_with_the_first_whole_hour(db, unit):
    ada = make_person(db, "Ada").person_id
    since = NOW.replace(minute=10) - 20 * DAY
    import_owner(db, "P1", NOW - 400 * DAY, name="Bob")
    import_owner(db, "P1", since, name="Ada")
    shown = mine(db, ada, 30 * DAY)
    assert (shown.step, shown.points[0][0]) == ("hour", since.replace(minute=0) + HOUR)


def test_somebody_else_has_nothing(db, unit):
    import_owner(db, "P1", NOW - 400 * DAY, name="Ada")
    bob = make_person(db, "Bob").person_id
    for span in (DAY, 30 * DAY, 365 * DAY):
        assert mine(db, bob, span).points == []


def test_a_bucket_with_a_reading_that_was_received_before_is_left_out(db, unit):
    """The device's clock was ahead: the reading was the other owner's."""
    ada = make_person(db, "Ada").person_id
    since = NOW.replace(minute=0) - 20 * DAY
    import_owner(db, "P1", NOW - 400 * DAY, name="Bob")
    import_owner(db, "P1", since, name="Ada")
    db.execute("UPDATE rollup_hour SET received_from = %s WHERE begins = %s", [since - HOUR, since])
    assert mine(db, ada, 30 * DAY).points[0][0] == since + HOUR


@pytest.mark.parametrize(("days", "span", "step"), [(20, 30 * DAY, "hour"), (40, 365 * DAY, "day")])
def test_what_the_owner_before_measured_is_left_out_also_where_it_came_late(db, unit, days, span, step):
    ada = make_person(db, "Ada").person_id
    since = NOW.replace(hour=0, minute=0) - days * DAY
    import_owner(db, "P1", NOW - 400 * DAY, name="Bob")
    import_owner(db, "P1", since, name="Ada")
    db.execute("UPDATE rollup_hour SET received_from = %s", [NOW])
    db.execute("UPDATE rollup_day SET received_from = %s", [NOW])
    shown = mine(db, ada, span)
    assert (shown.step, shown.points[0][0]) == (step, since)
