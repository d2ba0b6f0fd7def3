"""The figures of products are what a count of everything says, as of the last pass that came to its end."""

import threading
from datetime import timedelta

import pytest

from gateway.support.products import figures
from tests.factories.campaigns import column_values
from tests.factories.fleet import NOW, make_random_fleet

SEED = 7
DAY = timedelta(days=1)
UNITS = """
SELECT p.code, u.lot, u.firmware, count(*) AS units,
       count(*) FILTER (WHERE EXISTS (SELECT FROM ownership o
                                      WHERE o.unit_id = u.id AND o.during @> %(now)s)) AS registered,
       count(*) FILTER (WHERE s.unit_id IS NOT NULL) AS silent
FROM unit u JOIN product p ON p.id = u.product_id LEFT JOIN unit_silence s ON s.unit_id = u.id
WHERE NOT u.is_test
GROUP BY p.code, u.lot, u.firmware ORDER BY p.code, u.lot, u.firmware
"""
COUNTED = """
SELECT p.code, f.lot, f.firmware, f.units, f.registered, f.silent
FROM unit_figure f JOIN product p ON p.id = f.product_id
WHERE f.pass = (SELECT number FROM unit_pass) ORDER BY p.code, f.lot, f.firmware
"""


@pytest.fixture
def fleet(db, monkeypatch):
    """Counted in turns that end within a lot."""
    monkeypatch.setattr(figures, "_UNITS_A_TURN", 37)
    monkeypatch.setattr(figures, "_ALARMS_A_TURN", 11)
    monkeypatch.setattr(figures, "_FORGOTTEN_A_TURN", 3)
    return make_random_fleet(db, 200, SEED)


def count_all(db, now=NOW) -> bool:
    return figures.count_all(db, lambda: now, threading.Event())


def test_units_are_counted_by_lot_and_firmware_and_silent_ones_are_known(db, fleet):
    silent = {unit.id for unit in fleet if "silent" in unit.states}
    db.execute("DELETE FROM unit_silence")
    db.execute("UPDATE unit SET is_test = true WHERE id % 10 = 0")
    assert count_all(db)
    assert set(column_values(db, "SELECT unit_id FROM unit_silence")) == silent
    assert column_values(db, COUNTED) == column_values(db, UNITS, {"now": NOW})


def test_a_unit_that_is_heard_again_and_one_with_another_owner_count_anew_in_the_next_pass(db, fleet):
    count_all(db)
    db.execute("UPDATE latest SET received_at = %s", [NOW + DAY])
    db.execute("DELETE FROM ownership WHERE unit_id % 2 = 0")
    later = NOW + DAY
    assert count_all(db, later)
    heard = column_values(db, "SELECT count(DISTINCT unit_id) FROM latest")[0]
    assert column_values(db, "SELECT count(*) FROM unit_silence") == [len(fleet) - heard]
    assert column_values(db, COUNTED) == column_values(db, UNITS, {"now": later})
    assert column_values(db, "SELECT DISTINCT pass FROM unit_figure") == [2]


def test_a_pass_that_came_to_no_end_is_not_shown_and_counts_nothing_twice(db, fleet):
    stop = threading.Event()
    moments = iter([NOW] * 5)

    def clock():
        moment = next(moments, None)
        if moment is None:
            stop.set()
        return NOW

    assert not figures.count_all(db, clock, stop)
    assert column_values(db, "SELECT count(*) > 0 FROM unit_figure") == [True]
    assert figures.products(db)[0] is None
    assert figures.products(db)[1][0]["units"] == 0
    assert count_all(db)
    assert column_values(db, COUNTED) == column_values(db, UNITS, {"now": NOW})


def test_the_next_pass_waits_as_long_as_the_last_one_took_some_times_over(db, fleet):
    db.execute("INSERT INTO unit_pass (number, began_at, finished_at) VALUES (1, %s, %s)", [NOW - DAY, NOW])
    assert not count_all(db, NOW + 4 * DAY)
    assert count_all(db, NOW + 6 * DAY)


def test_alarms_count_for_the_version_that_their_unit_had_then_and_once(db, fleet):
    count_all(db)
    before = column_values(db, "SELECT sum(alarms) FROM alarm_figure")
    assert before == column_values(db, "SELECT count(*) FROM alarm")
    by_firmware = dict(column_values(db, "SELECT firmware, sum(alarms) FROM alarm_figure GROUP BY firmware"))
    db.execute("UPDATE unit SET firmware = '9.9'")
    count_all(db, NOW + DAY)
    assert dict(column_values(db, "SELECT firmware, sum(alarms) FROM alarm_figure GROUP BY firmware")) == by_firmware
    shown = figures.product(db, "p1", 30, None, NOW + DAY)
    assert [(row["firmware"], row["alarms"]) for row in shown.firmwares] == [("9.9", 0)]


def test_a_products_page_has_the_alarms_of_the_days_and_the_rule_that_were_chosen(db, fleet):
    count_all(db)
    db.execute("UPDATE alarm_figure SET day = %s WHERE firmware = '2.1'", [(NOW - 20 * DAY).date()])
    alarms = {
        (days, rule): {row["firmware"]: row["alarms"] for row in figures.product(db, "p1", days, rule, NOW).firmwares}
        for days in (7, 30)
        for rule in (None, "r1", "r2")
    }
    assert alarms[7, None]["2.1"] == 0 < alarms[30, None]["2.1"]
    assert alarms[30, "r1"] == alarms[30, None]
    assert set(alarms[30, "r2"].values()) == {0}
    assert [row["rule"] for row in figures.product(db, "p1", 30, None, NOW).rules] == ["r1"]


def test_alarms_of_long_ago_are_forgotten(db, fleet):
    count_all(db)
    count_all(db, NOW + (figures.DAYS_MAX + 1) * DAY)
    assert column_values(db, "SELECT count(*) FROM alarm_figure") == [0]


def test_products_are_listed_with_their_figures_over_http(world, db, fleet):
    count_all(db)
    manager = world.as_("product_manager")
    listed = manager.get("/api/product-figures").json()
    assert datetime_of(listed["counted_at"]) == NOW.isoformat()
    units = {each["product"]["code"]: (each["units"], each["registered"]) for each in listed["products"]}
    assert units == {
        code: (
            sum(unit.product == code for unit in fleet),
            sum(unit.product == code and unit.registered for unit in fleet),
        )
        for code in ("p1", "p2")
    }
    one = manager.get("/api/product-figures/p1?days=7").json()
    assert sum(each["units"] for each in one["lots"]) == sum(each["units"] for each in one["firmwares"]) == one["units"]
    assert (one["lots_total"], one["firmwares_total"]) == (4, 3)
    assert manager.get("/api/product-figures/p9").status_code == 404
    assert manager.get("/api/product-figures/p1?days=400").status_code == 422


def datetime_of(text: str) -> str:
    return text.replace("Z", "+00:00")
