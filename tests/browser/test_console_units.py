"""Support finds a unit and reads its record; the product manager reads a product's page. In real browsers."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from gateway.demo.visitor import Visitor
from tests.browser import checks
from tests.browser.campaigns import RECALL, Makers


def check(page: Any, name: str, width: int) -> None:
    checks.check(page, f"console-{name}", width, target=36 if width >= 1024 else 44)


@pytest.fixture
def recalled(demo):
    """Jana's compressor, which is recalled, and Jana."""
    jana, (unit,) = demo.owner("ac-24")
    audience = {"by": "serials", "serials": [unit["serial"]]}
    Makers(demo.url, demo.password).publish("ac-24", RECALL, audience)
    return jana, unit


@pytest.fixture
def enter(demo, open_page, width):
    """Opens a page as one of the demo's staff."""

    def open_as(email: str, path: str) -> Any:
        page = open_page(width, Visitor.sign_in(demo.url, email, demo.password))
        page.goto(path)
        return page

    return open_as


def test_support_finds_a_unit_by_the_begin_of_its_serial_and_reads_what_to_say_first(enter, width, recalled):
    jana, unit = recalled
    page = enter("support@brenhold.example", "/console/units")
    page.get_by_role("row").nth(1).wait_for()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Recalled")  # the urgent ones come first
    check(page, "units", width)
    page.get_by_label("Beginning of a serial").fill(unit["serial"][:-1].lower())
    expect(page.get_by_role("status").filter(has_text="1 unit")).to_be_visible()
    page.get_by_role("link", name=unit["serial"]).click()

    first = page.get_by_role("region").filter(has_text="Say this first: this unit is recalled.")
    expect(first).to_contain_text("Switch it off and pull the plug.")
    expect(first).to_contain_text("has not opened it yet", timeout=15_000)
    expect(page.get_by_role("link", name="Jana Möller")).to_be_visible()
    expect(page.get_by_role("region", name="Notices")).to_contain_text("The air tank can burst")
    expect(page.get_by_role("region", name="Campaigns").get_by_role("row").nth(1)).to_contain_text("Affected")
    check(page, "unit-recalled", width)

    # What the owner does stands there at once.
    (pinned,) = jana.get("/api/my/feed")["pinned"]
    jana.post(f"/api/my/notices/{pinned['id']}/acknowledge", {})
    expect(first).to_contain_text("and confirmed it")
    first.get_by_role("link", name="Open the recall").click()
    expect(page).to_have_url(re.compile("/console/campaigns/"))


def test_the_chart_of_a_unit_shows_the_metric_and_the_time_that_the_address_names(enter, width, demo):
    with demo.database() as db:
        unit = db.execute("SELECT public_id FROM unit WHERE printed = 'HP90-25-095247'").fetchone()
    page = enter("support@brenhold.example", f"/console/units/{unit['public_id']}?metric=flow_temp_c&minutes=60")
    expect(page.get_by_role("heading", name="Flow temperature")).to_be_visible()
    page.get_by_role("img", name=re.compile("^Flow temperature, ")).wait_for()
    page.locator("label.tile").filter(has_text="Heating water pressure").click()
    page.get_by_role("button", name="Week").click()
    page.get_by_role("img", name=re.compile("^Heating water pressure, ")).wait_for()
    expect(page).to_have_url(re.compile("metric=water_pressure_bar&minutes=10080"))
    check(page, "unit-chart", width)
    page.get_by_label("From").fill("2020-01-01T00:00")
    page.get_by_label("Until").fill("2020-01-02T00:00")
    page.get_by_role("button", name="Show this time").click()
    expect(page.get_by_text("Nothing was measured in this time.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Nothing was measured in this time.")).to_be_visible()


def test_a_product_manager_reads_a_product_and_goes_from_a_version_to_its_units(enter, width):
    page = enter("heat@brenhold.example", "/console/products")
    page.get_by_role("link", name="Heat pump").first.click()
    page.get_by_role("heading", name="Alarms by version").wait_for()
    page.get_by_role("button", name="90 days").click()
    expect(page).to_have_url(re.compile("days=90"))
    version = page.get_by_role("region", name="Alarms by version").get_by_role("link").first
    expect(page.locator(".fun li").filter(has_text="Registered")).to_contain_text(re.compile(r"% of \d+ units"))
    check(page, "product", width)
    named = version.text_content()
    version.click()
    expect(page).to_have_url(re.compile(f"product=hp-90&firmware={re.escape(named)}"))
    expect(page.get_by_role("row").nth(1)).to_contain_text(named)
    expect(page.get_by_label("All versions")).to_have_value(named)
    page.goto("/console/products")
    page.get_by_role("row").nth(1).wait_for()
    check(page, "products", width)
