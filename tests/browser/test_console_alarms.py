"""Alarms and notices in the console: support works an alarm, a second person sees it live, nothing typed is lost."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import checks
from tests.dsl.mqtt import Devices
from tests.dsl.people import session
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import apply_hot_rule, make_fleet

LIVE_MS = 15_000


@pytest.fixture
def roles(url, mosquitto_port, tmp_path):
    """Pump P1 is too hot, and Ada was told; P2 was, and cleared."""
    make_fleet(url)
    apply_hot_rule(url, tmp_path)
    with running_roles(url, mosquitto_port, tmp_path) as running, Devices(mosquitto_port) as devices:
        for value in (80, 95, 96):
            devices.reading("P1", temp_c=value).reading("P2", temp_c=value)
        devices.reading("P2", temp_c=70).flush()
        until(lambda: len(running.get("/api/alarms?sort=newest")["alarms"]) == 2, what="both alarms")
        until(lambda: len(running.get("/api/feed")["notices"]) == 2, what="both notices")
        yield running


@pytest.fixture
def enter(url, db, roles, new_context):
    """Opens the console at a width, as somebody of the staff with this name."""

    def enter(name, width, path="/console/alarms", language="en"):
        email = f"{name.lower()}@example.org"
        home = f"http://127.0.0.1:{roles.http_port}"
        viewport = {"width": width, "height": 844 if width < 860 else 1000}
        context = new_context(base_url=home, viewport=viewport, locale="en-GB", reduced_motion="reduce")
        context.add_cookies([{"name": "session", "value": session(url, "support", email), "url": home}])
        db.execute("UPDATE person SET name = %s, language = %s WHERE email = %s", [name, language, email])
        page = context.new_page()
        page.goto(path)
        return page

    return enter


def check(page, name, width):
    checks.check(page, f"alarms-{name}", width, target=36 if width >= 1024 else 44)


def tile(page, words):
    return page.locator(".bits a", has_text=re.compile(words)).locator("b")


def test_support_works_an_alarm_and_a_second_person_sees_it_live(roles, enter, width):
    tom, ina = enter("Tom", width), enter("Ina", 1440)
    expect(tile(tom, "^1?active, not")).to_have_text("1")
    expect(tile(tom, "^1?cleared, not")).to_have_text("1")
    check(tom, "1-list", width)
    # The keyboard goes from row to row and into one.
    tom.locator(".board .t").first.focus()
    tom.keyboard.press("j")
    tom.keyboard.press("k")
    tom.keyboard.press("Enter")
    expect(tom.get_by_role("heading", name="Pump overheats", level=1)).to_be_visible()
    expect(tom.get_by_text("Feed: shown")).to_be_visible()
    expect(tom.locator(".uplot").first).to_be_visible()

    ina.locator(".board .t").first.click()
    expect(ina.get_by_role("button", name="Acknowledge version 1")).to_be_visible()
    tom.get_by_role("button", name="Acknowledge version 1").click()
    expect(ina.get_by_text("Tom acknowledged it")).to_be_visible(timeout=LIVE_MS)
    tom.get_by_role("button", name="Undo").click()
    expect(tom.get_by_role("button", name="Acknowledge version 3")).to_be_visible()
    tom.get_by_role("button", name="Take it").click()
    expect(tom.get_by_label("Assign to").locator("option:checked")).to_have_text("Tom")
    tom.get_by_label("Verdict").select_option(label="real")
    expect(ina.get_by_text("Tom judged it: real")).to_be_visible(timeout=LIVE_MS)

    # What was typed survives a reload, and a send that failed.
    tom.get_by_label("What you found out").fill("Called Ada: the valve is shut.")
    tom.reload()
    expect(tom.get_by_label("What you found out")).to_have_value("Called Ada: the valve is shut.")
    tom.route("**/acts", lambda route: route.abort())
    tom.get_by_role("button", name="Comment").click()
    expect(tom.get_by_text("Not sent. Your text is still here.")).to_be_visible()
    tom.unroute("**/acts")
    tom.get_by_role("button", name="Comment").click()
    expect(tom.get_by_label("What you found out")).to_have_value("")
    expect(ina.get_by_text("Called Ada: the valve is shut.")).to_be_visible(timeout=LIVE_MS)
    check(tom, "2-worked", width)

    tom.get_by_role("button", name="Resolve").click()
    expect(tom.get_by_text("Write why: the readings say that the alarm is still active.")).to_be_visible()
    tom.get_by_label("What you found out").fill("The sensor is loose.")
    tom.get_by_role("button", name="Resolve").click()
    expect(tom.get_by_role("button", name="Reopen")).to_be_visible()
    expect(ina.get_by_role("button", name="Reopen")).to_be_visible(timeout=LIVE_MS)
    ina.goto("/console/alarms")
    expect(tile(ina, "closed")).to_have_text("1")
    expect(tile(ina, "active, not")).to_have_text("0")


def test_who_was_slower_is_told_who_was_first(roles, enter, width):
    tom, ina = enter("Tom", width), enter("Ina", width, language="de")
    for page in (tom, ina):
        page.locator(".board .t").first.click()
    expect(ina.get_by_role("button", name="Fassung 1 quittieren")).to_be_visible()
    check(ina, "3-german", width)
    ina.context.set_offline(True)  # nothing is heard of Tom's act
    tom.get_by_role("button", name="Acknowledge version 1").click()
    expect(tom.get_by_text("Acknowledged").first).to_be_visible()
    ina.context.set_offline(False)
    ina.get_by_role("button", name="Fassung 1 quittieren").click()
    expect(ina.get_by_text("Tom war schneller und hat quittiert.")).to_be_visible()
    expect(ina.get_by_text("Tom hat quittiert")).to_be_visible()


def test_lists_are_filtered_by_their_address_saved_and_lead_on(roles, enter, width):
    tom = enter("Tom", width)
    tom.get_by_label("Serial or title").fill("p2")
    expect(tom.locator(".brow")).to_have_count(1)
    expect(tom).to_have_url(re.compile("words=p2"))
    tom.reload()
    expect(tom.locator(".brow")).to_have_count(1)
    expect(tom.locator(".brow .serial")).to_have_text("P2")
    with tom.expect_download() as saved:
        tom.get_by_role("link", name="Save as CSV").click()
    assert len(saved.value.path().read_text("utf-8").splitlines()) == 2
    tom.get_by_label("Serial or title").fill("nothing")
    expect(tom.get_by_text("No alarm is like this.")).to_be_visible()
    tom.goto("/console/notices")
    expect(tile(tom, "open, of alarms")).to_have_text("1")
    expect(tile(tom, "over, of alarms")).to_have_text("1")
    check(tom, "4-notices", width)
    tom.locator("tbody th a").first.click()
    expect(tom.get_by_text("Feed: shown")).to_be_visible()
    expect(tom.get_by_text("To Ada")).to_be_visible()
    check(tom, "5-notice", width)
    tom.get_by_role("link", name="Open the alarm").click()
    expect(tom.get_by_role("heading", name="Pump overheats", level=1)).to_be_visible()
