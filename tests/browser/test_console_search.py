"""Support finds units, people and campaigns from anywhere in the console, by keyboard and by touch."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import checks
from tests.browser.test_console import PAULA, enter


def check(page, name, width):
    checks.check(page, f"console-{name}", width, target=36 if width >= 1024 else 44)


@pytest.fixture
def field(page, demo):
    """The search, of somebody who reads the list of campaigns."""
    enter(page, demo, PAULA, "/console/campaigns")
    expect(page.get_by_role("heading", level=1, name="Campaigns")).to_be_visible()
    return page.get_by_role("combobox", name="Search")


def test_a_slash_and_a_serial_lead_to_the_unit_from_anywhere(page, field, demo):
    with demo.database() as db:
        unit = db.execute("SELECT public_id FROM unit WHERE printed = 'HP90-23-001256'").fetchone()["public_id"]
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("hp90 23 001256")
    page.keyboard.press("Enter")  # before the answer is there
    page.wait_for_url(f"**/console/units/{unit}")
    expect(field).not_to_be_focused()


def test_hits_come_as_one_types_and_are_chosen_by_arrows(page, field, width):
    page.keyboard.press("/")
    page.keyboard.type("ines nov")
    expect(page.get_by_role("status").filter(has_text=re.compile(r"unit|person|people"))).to_be_visible()
    people = page.get_by_role("listbox").get_by_role("group", name="People")
    expect(people.get_by_role("option").first).to_contain_text("Ines Novak")
    expect(people.get_by_role("option").first).to_contain_text("ines.novak@example.org")
    check(page, "search-hits", width)
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id"))
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_text("All results")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).not_to_be_focused()
    page.keyboard.press("/")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/search?words=ines+nov")
    expect(page.get_by_role("heading", level=2, name="People")).to_be_visible()
    expect(field).to_have_value("ines nov")
    check(page, "search", width)


def test_what_was_looked_for_is_said_where_nothing_is_found(page, field, width):
    field.fill("Zzyzx")
    expect(page.get_by_role("status").filter(has_text="Nothing found for “Zzyzx”")).to_be_visible()
    expect(page.get_by_text("Looked for in serials")).to_be_visible()
    check(page, "search-none", width)
    field.press("Enter")
    expect(page).to_have_url(re.compile("/console/campaigns$"))


def test_a_slash_in_a_field_is_a_slash(page, field):
    field.fill("2025")
    field.press("/")
    expect(field).to_have_value("2025/")
