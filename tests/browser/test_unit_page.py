"""The page of an owner's unit: tiles that choose the chart, limits and past alarms in it, and what stands beside it."""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser import checks
from tests.browser.campaigns import RECALL, Makers

METRIC = "(SELECT id FROM metric WHERE name = %(metric)s)"


def measure(demo, serial, metric, *values, every=timedelta(minutes=4)):
    """Insert readings of the last hour, the last of them now."""
    now = datetime.now(UTC)
    with demo.database() as db, db.transaction():
        for back, value in enumerate(reversed(values)):
            row = {"serial": serial, "metric": metric, "value": value, "at": now - back * every}
            db.execute(
                "INSERT INTO telemetry (time, unit_id, metric_id, value, received_at, late)"
                f" SELECT %(at)s, id, {METRIC}, %(value)s, %(at)s, false FROM unit WHERE printed = %(serial)s",
                row,
            )
            if not back:
                db.execute(
                    "INSERT INTO latest (unit_id, metric_id, time, value, received_at)"
                    f" SELECT id, {METRIC}, %(at)s, %(value)s, %(at)s FROM unit WHERE printed = %(serial)s",
                    row,
                )


def raise_alarms(demo, serial, rule, *spans):
    """Insert past alarms of a rule in force, by minutes ago."""
    now = datetime.now(UTC)
    with demo.database() as db, db.transaction():
        for onset, cleared in spans:
            db.execute(
                "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at,"
                " historic, evidence, cleared_at, clearing)"
                " SELECT %(id)s, v.id, u.id, v.document->>'severity', %(onset)s, %(onset)s, %(onset)s, false,"
                " jsonb_build_object('metric', v.document->'condition'->'metric', 'value', 0.9), %(cleared)s, '{}'"
                " FROM rule_version v, unit u WHERE v.rule_id = %(rule)s AND v.active AND u.printed = %(serial)s",
                {
                    "id": secrets.token_hex(8),
                    "serial": serial,
                    "rule": rule,
                    "onset": now - timedelta(minutes=onset),
                    "cleared": now - timedelta(minutes=cleared),
                },
            )


@pytest.fixture
def pump(demo):
    """Somebody's heat pump, owned since an hour before the test, with an hour of readings and two past alarms."""
    owner, (unit,) = demo.owner("hp-90")
    with demo.database() as db:
        db.execute(
            "UPDATE ownership SET during = tstzrange(now() - interval '2 hours', NULL)"
            " WHERE unit_id = (SELECT id FROM unit WHERE printed = %s)",
            [unit["serial"]],
        )
    pressures = [1.6, 1.6, 1.5, 0.9, 0.8, 1.6, 1.7, 1.6, 0.9, 1.6, 1.6, 1.7]
    measure(demo, unit["serial"], "water_pressure_bar", *pressures)
    measure(demo, unit["serial"], "flow_temp_c", *(35 + part for part in range(12)))
    raise_alarms(demo, unit["serial"], "hp-90-water-pressure-low", (33, 28), (12, 11))
    return owner, unit


def test_the_tiles_choose_the_chart_by_keyboard_and_the_address_keeps_the_choice(demo, pump, open_page, width):
    owner, unit = pump
    page = open_page(width, owner)
    page.goto(f"/units/{unit['id']}")
    tiles = page.get_by_role("group", name="What to show")
    chart = page.get_by_role("region", name="Heating water pressure")
    expect(tiles.get_by_role("radio", name="Heating water pressure")).to_be_checked()
    expect(chart.locator(".legend")).to_contain_text("We tell you below 1")
    expect(chart.locator(".tag.warn")).to_have_count(2)
    checks.check(page, "unit-1-alarms", width)

    chart.get_by_text("Show as a table").click()
    alarms = chart.get_by_role("table", name="Heating water pressure: the alarms in this time")
    expect(alarms.get_by_role("rowheader")).to_have_text(["1 Water pressure is low", "2 Water pressure is low"])

    tiles.get_by_role("radio", name="Heating water pressure").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("region", name="Flow temperature")).to_be_visible()
    assert page.url.endswith("?metric=flow_temp_c")
    page.reload()
    expect(tiles.get_by_role("radio", name="Flow temperature")).to_be_checked()
    expect(page.get_by_role("region", name="Flow temperature").locator(".tag.warn")).to_have_count(0)


def test_labels_of_alarms_never_overlap(demo, pump, open_page):
    owner, unit = pump
    raise_alarms(demo, unit["serial"], "hp-90-water-pressure-low", *((part, part - 0.5) for part in range(1, 44, 2)))
    page = open_page(390, owner)
    page.goto(f"/units/{unit['id']}")
    page.locator(".live .tag.warn").first.wait_for()
    boxes = sorted((tag.bounding_box() for tag in page.locator(".live .tag.warn").all()), key=lambda box: box["x"])
    assert len(boxes) > 1
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] < right["x"]


def test_it_says_that_no_recall_concerns_the_unit_only_while_that_is_so(demo, open_page):
    owner, (unit,) = demo.owner("rm-500")
    page = open_page(390, owner)
    page.goto(f"/units/{unit['id']}")
    stated = page.get_by_role("region", name="No recall for yours")
    expect(stated).to_contain_text(f"{unit['serial']} is not affected by any recall. Checked today")
    expect(page.get_by_text("until 30 Jun 2033")).to_be_visible()
    expect(page.get_by_role("region", name="Ask Brenhold").get_by_role("link")).to_have_count(2)
    Makers(demo.url, demo.password).publish("rm-500", RECALL, {"by": "serials", "serials": [unit["serial"]]})
    expect(stated).to_have_count(0, timeout=15_000)
    page.get_by_text("Stop using it").first.wait_for()
    expect(page.get_by_role("region", name="No recall for yours")).to_have_count(0)


def test_two_equal_products_are_told_apart_by_place_else_by_serial(demo, open_page):
    owner, (first, second) = demo.owner("hp-90", "hp-90")
    page = open_page(390, owner)
    page.goto("/")
    cards = page.locator(".unit h3 small")
    expect(cards).to_have_text([f"HP 90 · {first['serial']}", f"HP 90 · {second['serial']}"])
    page.goto(f"/units/{first['id']}")
    page.get_by_role("button", name="Where it stands").click()
    page.get_by_label("Where it stands").fill("Cellar")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".uh p").first).to_have_text("HP 90 · Cellar")
    page.goto("/")
    expect(cards).to_have_text(["HP 90 · Cellar", f"HP 90 · {second['serial']}"])


def test_long_german_words_keep_every_page_in_its_width(demo, open_page):
    owner, (unit, _) = demo.owner("ac-24", "hp-90", language="de")
    makers = Makers(demo.url, demo.password)
    makers.publish("ac-24", RECALL, {"by": "serials", "serials": [unit["serial"]]})
    page = open_page(320, owner)
    page.add_init_script("localStorage.setItem('language', 'de')")
    for path in ("/", "/notices", "/add", "/settings", "/account", f"/units/{unit['id']}"):
        page.goto(path)
        page.locator("h1").first.wait_for()
        expect(page.locator(".loading")).to_have_count(0)
        assert page.evaluate("[document.documentElement.lang, document.documentElement.scrollWidth]") == ["de", 320], (
            path
        )
