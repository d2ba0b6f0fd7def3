"""Readings over a long time: thinned in the store so that no extreme is lost, and looked up by numbers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway.readings import charts
from gateway.readings.charts import Series
from gateway.readings.history import ALL_UNITS, history
from gateway.registrations import owned
from gateway.registrations import repository as registrations
from gateway.store.owner import act_as_owner
from gateway.store.timeseries import TimeSeries
from tests.dsl.owners import import_owner, make_person, make_units
from tests.dsl.plans import nodes, plan_of

pytestmark = pytest.mark.both

END = datetime(2026, 6, 30, 12, tzinfo=UTC)
BEGIN = END - timedelta(days=10)
MINUTES = 10 * 24 * 60
PEAK, DIP = 7_003, 9_777
"""Minutes after the beginning at which one reading stands out."""


@pytest.fixture
def series(db) -> Series:
    """Ten days of one reading a minute; Ada's unit from the fifth day on."""
    make_units(db, "P1")
    TimeSeries(db).ensure_days([(BEGIN + timedelta(days=n)).date() for n in range(11)])
    (unit,) = db.execute("SELECT id FROM unit")
    (metric,) = db.execute("SELECT id FROM metric WHERE name = 'temp_c'")
    numbers = {"unit": unit["id"], "metric": metric["id"], "begin": BEGIN, "peak": PEAK, "dip": DIP, "last": MINUTES}
    db.execute(
        "INSERT INTO telemetry (unit_id, metric_id, time, value, received_at, late)"
        " SELECT %(unit)s, %(metric)s, %(begin)s + n * interval '1 minute',"
        "        CASE n WHEN %(peak)s THEN 99 WHEN %(dip)s THEN -7 ELSE 20 + n %% 5 END,"
        "        %(begin)s + n * interval '1 minute', false FROM generate_series(1, %(last)s) n",
        numbers,
    )
    db.execute("INSERT INTO latest VALUES (%(unit)s, %(metric)s, %(begin)s, 20, %(begin)s)", numbers)
    return Series(unit["id"], metric["id"], "°C")


def readings(db, series: Series, since: datetime, until: datetime, limit: int) -> list[tuple[datetime, float]]:
    """What a chart shows where nothing is rolled up."""
    return list(history(db, ALL_UNITS, series.unit_id, series.metric_id, since, until, limit).points)


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


@pytest.mark.parametrize("limit", [3, 50, 401, 5_000])
def test_beyond_the_limit_extremes_and_the_newest_stay(db, series, limit):
    points = readings(db, series, BEGIN, END + timedelta(days=1), limit)
    assert limit - 2 <= len(points) <= limit
    assert points == sorted(points)
    assert {(at(PEAK), 99.0), (at(DIP), -7.0), (at(MINUTES), 20.0)} <= set(points)


def test_what_is_kept_is_spread_over_the_time(db, series):
    points = readings(db, series, BEGIN, END, 400)
    assert {time.date() for time, _ in points} == {(BEGIN + timedelta(days=n)).date() for n in range(11)}
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(points)]
    assert max(gaps) < timedelta(days=10) / 150


def test_up_to_the_limit_every_reading_comes_as_it_is(db, series):
    points = readings(db, series, at(PEAK), at(PEAK + 50), 50)
    assert [time for time, _ in points] == [at(PEAK + n) for n in range(50)]


def test_one_is_the_newest(db, series):
    assert readings(db, series, BEGIN, at(PEAK + 1), 1) == [(at(PEAK), 99.0)]


def test_of_more_than_are_read_for_a_chart_the_newest_count(db, series, monkeypatch):
    monkeypatch.setattr(charts, "CHART_READS_MAX", 1_000)
    points = readings(db, series, BEGIN, END, 100)
    assert min(time for time, _ in points) >= at(MINUTES - 1_000)


def test_the_owners_chart_is_thinned_alike_and_begins_with_the_ownership(db, series):
    ada = make_person(db, "Ada").person_id
    import_owner(db, "P1", at(DIP - 10), name="Ada")
    (unit,) = db.execute("SELECT public_id FROM unit")
    with db.transaction():
        act_as_owner(db, ada)
        points = owned.readings(db, unit["public_id"], "temp_c", BEGIN, END, 50)
    assert len(points) <= 50
    assert (at(DIP), -7.0) in points
    assert (min(points)[0] - at(DIP - 10)) < timedelta(hours=3)
    assert all(time >= at(DIP - 10) for time, _ in points)


def test_somebody_elses_chart_is_empty(db, series):
    bob = make_person(db, "Bob").person_id
    (unit,) = db.execute("SELECT public_id FROM unit")
    with db.transaction():
        act_as_owner(db, bob)
        assert owned.readings(db, unit["public_id"], "temp_c", BEGIN, END, 50) == []


def test_no_plan_for_all_times_is_kept(db, series):
    """Of a prepared statement the server may take one plan for any moments, which reads every day there is."""
    for _ in range(8):
        readings(db, series, BEGIN, END, 10)
        charts.stored_readings(db, series.unit_id, BEGIN, END, (BEGIN, 0), 10)
        registrations.unit_number(db, "none")
    prepared = [row["statement"] for row in db.execute("SELECT statement FROM pg_prepared_statements")]
    assert prepared
    assert [each for each in prepared if "FROM telemetry" in each] == []


@pytest.mark.parametrize("name", ["readings", "stored_readings", "conflicting_readings"])
def test_readings_are_looked_up_by_the_units_number_without_a_join(db, series, name):
    """In the columnstore a join on the unit would have the readings of all units decompressed."""
    numbers = {"unit_id": series.unit_id, "metric_id": series.metric_id, "since": BEGIN, "until": END, "limit": 10}
    numbers |= {"most": 100, "after_time": BEGIN, "after_metric": 0}
    plan = plan_of(db, name, getattr(charts.queries, name).as_string(), numbers)
    tables = {node.get("Relation Name", "") for node, _ in nodes(plan["Plan"])}
    assert "unit" not in tables
