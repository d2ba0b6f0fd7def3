"""Raw readings, hours and days go after their own times, by product; what is left of them is never made smaller."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.core.errors import BadInput
from gateway.ingest.devices import Catalog
from gateway.m2m.decoders import decode
from gateway.m2m.device import Limits
from gateway.m2m.message import Message
from gateway.readings.repository import begin_noting
from gateway.readings.retention import Kept, drop_whole
from gateway.readings.roller import Rolling
from gateway.registrations import repository as registrations
from gateway.registrations.files import read_product
from gateway.registrations.service import import_product
from gateway.store import Connection, connect
from gateway.store.timeseries import TimeSeries
from tests.dsl.owners import make_units
from tests.dsl.rolled import HandClock, assert_equal_to_a_recount, roll_all, store, stored
from tests.factories import product

pytestmark = pytest.mark.both

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
KEPT = Kept(timedelta(days=60), timedelta(days=90), timedelta(days=800))
SHORT = {"raw": "10d", "hour": "30d", "day": "100d"}
AGES = (1, 9, 11, 25, 45, 75, 100, 200)
"""Days ago; of each there is a reading."""


def ago(days: int) -> datetime:
    return NOW.replace(hour=0) - timedelta(days=days)


@pytest.fixture
def mine(url) -> Iterator[Connection]:
    with connect(url, "gateway-rollups") as connection:
        yield connection


@pytest.fixture
def units(db) -> dict[str, list[int]]:
    """Five units each of a pump, which is kept as the settings say, and of a fan, whose file says shorter."""
    make_units(db, *"ABCDE", products=("pump", "fan"))
    with db.transaction():
        import_product(db, product(code="fan", model="M fan", retention=SHORT), actor="test")
    rows = db.execute("SELECT p.code, u.id FROM unit u JOIN product p ON p.id = u.product_id ORDER BY u.id").fetchall()
    of_product = {code: [row["id"] for row in rows if row["code"] == code] for code in ("pump", "fan")}
    begin_noting(db)
    store(db, [(unit, 1, ago(days), 2.0) for ids in of_product.values() for unit in ids for days in AGES])
    return of_product


def ages(db: Connection, table: str, units: list[int]) -> set[int]:
    column = "time" if table == "telemetry" else "begins"
    rows = db.execute(
        f"SELECT {column} AS at, count(DISTINCT unit_id) AS units FROM {table} WHERE unit_id = ANY (%s) GROUP BY 1",
        [units],
    ).fetchall()
    assert {row["units"] for row in rows} <= {5}, "either all units have a day, or none"
    return {(ago(0) - row["at"]).days for row in rows}


def test_each_product_keeps_raw_readings_hours_and_days_as_long_as_it_says(db, mine, units):
    """Hours go by whole months and days by whole years, so some stay a little longer."""
    rolling = Rolling(mine, HandClock(NOW), KEPT)
    roll_all(rolling)
    drop_whole(db, KEPT, NOW.date())
    roll_all(rolling)
    assert ages(db, "telemetry", units["pump"]) == {1, 9, 11, 25, 45}
    assert ages(db, "telemetry", units["fan"]) == {1, 9}
    assert ages(db, "rollup_hour", units["pump"]) == {1, 9, 11, 25, 45, 75, 100}
    assert ages(db, "rollup_hour", units["fan"]) == {1, 9, 11, 25, 45}
    assert ages(db, "rollup_day", units["pump"]) == set(AGES)
    assert ages(db, "rollup_day", units["fan"]) == {1, 9, 11, 25, 45, 75, 100}


def test_no_reading_is_deleted_before_it_is_rolled_up(db, mine, units):
    rolling = Rolling(mine, HandClock(NOW), KEPT)
    while rolling.turn():
        rolled = [(row[0], row[2]) for row in stored(db, "rollup_day", NOW)]
        raw = db.execute("SELECT unit_id, time FROM telemetry").fetchall()
        left = set(rolled) | {(row["unit_id"], row["time"]) for row in raw}
        assert left >= {(unit, ago(days)) for unit in units["pump"] for days in AGES}
        assert left >= {(unit, ago(days)) for unit in units["fan"] for days in AGES if days <= 100}


def test_rows_go_some_units_at_a_time_and_a_restart_goes_on(db, mine, units):
    rolling = Rolling(mine, HandClock(NOW), KEPT)
    roll_all(rolling)
    TimeSeries(db).ensure_days([NOW.date()])
    left = "SELECT count(DISTINCT unit_id) AS n FROM telemetry WHERE time < %s AND unit_id = ANY (%s)"
    clock = HandClock(NOW + timedelta(days=9))  # the reading of nine days ago is kept no longer
    seen = []
    for _ in range(60):
        restarted = Rolling(mine, clock, KEPT)
        restarted.units = 2
        restarted.turn()
        seen.append(db.execute(left, [ago(8), units["fan"]]).fetchone()["n"])
    assert {5, 3, 1, 0} == set(seen)
    assert seen == sorted(seen, reverse=True)


def test_what_comes_late_for_a_deleted_day_does_not_make_its_hour_smaller(db, mine, units):
    """A file may be made longer again, and then a device may send what is older than what is left."""
    rolling = Rolling(mine, HandClock(NOW), KEPT)
    roll_all(rolling)
    before = (stored(db, "rollup_hour", NOW), stored(db, "rollup_day", NOW))
    store(db, [(units["fan"][0], 1, ago(25) + timedelta(minutes=1), 9.0)])
    roll_all(rolling)
    assert (stored(db, "rollup_hour", NOW), stored(db, "rollup_day", NOW)) == before
    assert db.execute("SELECT count(*) AS n FROM rollup_touched").fetchone() == {"n": 0}
    store(db, [(units["pump"][0], 1, ago(25) + timedelta(minutes=1), 9.0)])
    roll_all(rolling)
    changed = set(stored(db, "rollup_hour", NOW)) - set(before[0])
    assert [(row[0], row[4], row[6]) for row in changed] == [(units["pump"][0], 9.0, 2)]


def test_what_comes_late_for_a_day_that_was_dropped_whole_does_not_either(db, mine, units):
    rolling = Rolling(mine, HandClock(NOW), KEPT)
    roll_all(rolling)
    drop_whole(db, KEPT, NOW.date())
    before = (stored(db, "rollup_hour", NOW), stored(db, "rollup_day", NOW))
    store(db, [(units["pump"][0], 1, ago(75) + timedelta(minutes=1), 9.0)])
    roll_all(rolling)
    assert (stored(db, "rollup_hour", NOW), stored(db, "rollup_day", NOW)) == before


def test_without_a_product_that_says_otherwise_nothing_is_deleted_row_by_row(db, mine):
    make_units(db, "A")
    begin_noting(db)
    (unit,) = db.execute("SELECT id FROM unit")
    store(db, [(unit["id"], 1, ago(days), 2.0) for days in AGES])
    roll_all(Rolling(mine, HandClock(NOW), KEPT))
    assert db.execute("SELECT count(*) AS n FROM rollup_floor").fetchone() == {"n": 0}
    assert_equal_to_a_recount(db)


def test_a_product_that_keeps_longer_than_the_settings_keeps_its_days(db, mine):
    make_units(db, "A")
    with db.transaction():
        import_product(db, product(model="M pump", retention={"raw": "120d"}), actor="test")
    begin_noting(db)
    (unit,) = db.execute("SELECT id FROM unit")
    store(db, [(unit["id"], 1, ago(days), 2.0) for days in AGES])
    drop_whole(db, KEPT, NOW.date())
    kept = {row["time"] for row in db.execute("SELECT time FROM telemetry")}
    assert kept == {ago(days) for days in AGES if days <= 120}


def test_coarser_ones_are_kept_as_long_as_finer_ones_at_least():
    nothing = {"raw": None, "hour": None, "day": None}
    assert KEPT.of(nothing) == KEPT
    long = KEPT.of(nothing | {"raw": timedelta(days=900)})
    assert long.spans() == (timedelta(days=900),) * 3
    short = KEPT.of(nothing | {"hour": timedelta(days=5)})
    assert short.spans() == (KEPT.raw, KEPT.raw, KEPT.day)
    assert KEPT.longest([short, long]).spans() == (timedelta(days=900),) * 3


@pytest.mark.parametrize(
    ("retention", "problem"),
    [
        ({"raw": "90d", "hour": "30d"}, "must not get shorter"),
        ({"hour": "90d", "day": "30d"}, "must not get shorter"),
        ({"raw": "1h"}, "must be a day or longer"),
        ({"raws": "90d"}, "Extra inputs"),
    ],
)
def test_a_retention_that_cannot_be_is_refused_with_what_to_write(tmp_path, retention, problem):
    content = product().model_dump_json(exclude={"retention"})
    path = tmp_path / "pump.yaml"
    path.write_text(content[:-1] + f', "retention": {retention}'.replace("'", '"') + "}")
    with pytest.raises(BadInput) as refused:
        read_product(path)
    assert problem in str(refused.value.problems)


def test_a_device_may_send_as_old_readings_as_its_product_keeps(db, units):
    catalog = Catalog(registrations.products(db))
    limits = Limits(65_536, 5_000, 600_000_000, 60 * 86_400_000_000)
    (received,) = (int(NOW.timestamp() * 1_000_000),)
    topics = {code: f"m2m/v1/{code}/A/telemetry" for code in ("pump", "fan")}
    devices = catalog.devices(db, topics.values())
    payload = b'{"ts": "%s", "values": {"temp_c": 20}}' % ago(25).isoformat().encode()
    decoded = {
        code: decode(Message(topic, payload, 1, 1, False, received), devices[topic], limits)
        for code, topic in topics.items()
    }
    assert decoded["pump"].rejected is None
    assert decoded["fan"].rejected.reason == "too_old"
