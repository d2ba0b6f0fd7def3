"""The quarantine in the console: each reason with what mends it, the message, another try, and a purge for who may."""

import pytest
from playwright.sync_api import expect

from tests.browser import checks
from tests.browser.checks import tab
from tests.dsl.mqtt import Devices
from tests.dsl.people import session
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import make_fleet

BINARY = b"\xff\x00\x1b[2J\xe2\x80\xae" + b"{" * 60
UNDO_MS = 15_000


@pytest.fixture
def roles(url, mosquitto_port, tmp_path):
    make_fleet(url)
    with running_roles(url, mosquitto_port, tmp_path, quarantine_payload_bytes=200) as running:
        yield running


@pytest.fixture
def devices(mosquitto_port, roles):
    with Devices(mosquitto_port) as connected:
        yield connected


@pytest.fixture
def enter(url, roles, new_context):
    """Opens the console at a width, as somebody of this role."""

    def enter(role, width, path="/console/quarantine"):
        home = address(roles)
        viewport = {"width": width, "height": 844 if width < 860 else 1000}
        context = new_context(base_url=home, viewport=viewport, locale="en-GB", reduced_motion="reduce")
        context.add_cookies([{"name": "session", "value": session(url, role), "url": home}])
        page = context.new_page()
        page.goto(path)
        return page

    return enter


def address(roles):
    return f"http://127.0.0.1:{roles.http_port}"


def check(page, name, width):
    checks.check(page, f"quarantine-{name}", width, target=36 if width >= 1024 else 44)


def wait_for_quarantined(roles, count):
    until(lambda: len(roles.get("/api/quarantine")["messages"]) == count, what=f"{count} messages in quarantine")


def message(page, unit):
    return page.locator("details", has=page.get_by_text(unit, exact=True))


def reason(page, name):
    return page.get_by_role("row", name=name)


def quarantine_link(page, width):
    if width < 1024:
        page.get_by_role("button", name="Menu").click()
    return page.locator("#rail-nav").get_by_role("link", name="Quarantine")


def test_what_was_refused_is_tried_again_and_purged(url, db, roles, devices, enter, width):
    page = enter("administrator", width)
    page.get_by_role("heading", name="Refused messages appear here").wait_for()
    check(page, "1-empty", width)

    devices.reading("P9", temp_c=20).send("P1", BINARY).send("P2", b"{" * 300).reading("P1", sparkle=1).flush()
    expect(reason(page, "Unknown unit")).to_contain_text("Import the units file", timeout=15_000)
    expect(page.locator("details")).to_have_count(4)
    expect(reason(page, "Unreadable").locator(".here")).to_have_text("2")
    expect(quarantine_link(page, width)).to_have_text("Quarantine4")
    page.keyboard.press("Escape")
    page.reload()
    message(page, "P1").last.locator("summary").click()
    expect(message(page, "P1").last.locator("pre")).to_have_text("\ufffd⟨00⟩⟨1B⟩[2J⟨202E⟩" + "{" * 60)
    expect(page.get_by_text("Some of it is no text")).to_be_visible()
    check(page, "2-open", width)

    unknown = message(page, "P9")
    unknown.locator("summary").click()
    make_fleet(url, serials=("P9",))
    unknown.get_by_role("button", name="Retry").click()
    page.get_by_text("1 will be tried again.").wait_for()
    expect(unknown).to_have_count(0, timeout=15_000)
    assert [row["value"] for row in db.execute("SELECT value FROM telemetry")] == [20]
    expect(reason(page, "Unknown unit").locator(".here")).to_have_text("0")

    page.get_by_label("Reason", exact=True).select_option(label="Unreadable (2)")
    expect(page.locator("details")).to_have_count(2)
    cut = message(page, "P2")
    cut.locator("summary").click()
    expect(cut.get_by_text("Only the beginning was kept")).to_be_visible()
    assert cut.get_by_role("button", name="Retry").count() == 0
    reason(page, "Unreadable").get_by_role("button", name="Retry all").click()
    page.get_by_text("1 will be tried again. 1 cannot be: it was not kept whole.").wait_for()
    cut.get_by_role("button", name="Purge").click()
    page.get_by_role("button", name="Undo").click()
    expect(cut.get_by_text("Will be purged")).to_have_count(0)
    cut.get_by_role("button", name="Purge").click()
    expect(page.get_by_text("Will be purged")).to_have_count(1)
    check(page, "3-purge", width)
    page.get_by_role("button", name="Purge all 2").click()
    expect(page.get_by_text("Will be purged")).to_have_count(2)
    expect(cut).to_have_count(0, timeout=UNDO_MS)
    expect(page.get_by_text("No message of this reason is in quarantine.")).to_be_visible(timeout=UNDO_MS)
    assert [row["reason"] for row in db.execute("SELECT reason FROM quarantine")] == ["unknown_metric"]


def test_support_retries_and_is_offered_no_purge(url, db, roles, devices, enter, width):
    devices.send("P1", b"{").reading("P9", temp_c=20).flush()
    wait_for_quarantined(roles, 2)
    page = enter("support", width, "/console")
    quarantine_link(page, width).click()
    message(page, "P1").locator("summary").click()
    expect(message(page, "P1").get_by_role("button", name="Retry")).to_be_visible()
    page.get_by_label("Reason", exact=True).select_option(label="Unreadable (1)")
    expect(page.locator("details")).to_have_count(1)
    assert page.get_by_role("button", name="Purge").count() == 0
    answer = page.request.post("/api/quarantine/purge", data={"reason": "bad_json"}, headers={"origin": address(roles)})
    assert answer.status == 403
    make_fleet(url, serials=("P9",))
    reason(page, "Unknown unit").get_by_role("button", name="Retry all").click()
    expect(reason(page, "Unknown unit").locator(".here")).to_have_text("0", timeout=15_000)
    check(page, "4-support", width)


def test_older_messages_come_by_pages_and_an_open_one_is_not_moved(db, roles, devices, enter, width):
    for number in range(25):
        devices.send(f"X{number}", b"{")
    devices.flush()
    wait_for_quarantined(roles, 25)
    page = enter("support", width)
    expect(page.locator("details")).to_have_count(20)
    page.get_by_role("link", name="Older messages").click()
    expect(page.locator("details")).to_have_count(5)
    assert page.evaluate("document.activeElement.id") == "qm"
    page.get_by_role("link", name="Back to the newest").click()
    expect(page.locator("details")).to_have_count(20)

    read = message(page, "X24")
    read.locator("summary").click()
    top = read.bounding_box()["y"]
    devices.send("X99", b"{").flush()
    page.get_by_role("button", name="Show newer messages").wait_for(timeout=15_000)
    assert (read.bounding_box()["y"], message(page, "X99").count()) == (top, 0)
    page.get_by_role("button", name="Show newer messages").click()
    message(page, "X99").wait_for()
    assert page.locator("details[open]").count() == 0


def test_it_is_said_in_german_too(db, url, roles, devices, enter, width):
    devices.send("P1", b"{").reading("P9", temp_c=20).send("P1", {"values": {"temp_c": "warm"}}).flush()
    wait_for_quarantined(roles, 3)
    page = enter("administrator", width)
    db.execute("UPDATE person SET language = 'de'")
    page.reload()
    page.get_by_role("heading", name="Quarantäne").wait_for()
    message(page, "P9").locator("summary").click()
    expect(page.get_by_text("Gerätedatei importieren").first).to_be_visible()
    check(page, "5-german", width)


def test_the_keyboard_opens_a_message_and_keeps_its_place_when_it_leaves(url, db, roles, devices, enter, width):
    devices.reading("P9", temp_c=20).flush()
    wait_for_quarantined(roles, 1)
    page = enter("support", width)
    message(page, "P9").wait_for()
    for _ in range(30):
        focused = tab(page)
        assert focused["ring"] != "none", f"no focus ring on {focused['what']}"
        if page.evaluate("document.activeElement.matches('summary')"):
            break
    page.keyboard.press("Enter")
    retry = message(page, "P9").get_by_role("button", name="Retry")
    expect(retry).to_be_visible()
    make_fleet(url, serials=("P9",))
    retry.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details")).to_have_count(0, timeout=15_000)
    assert page.evaluate("document.activeElement.id") == "qm"


def test_an_open_page_asks_again_only_when_something_happened(roles, enter):
    page = enter("support", 1440, "/console/campaigns")
    page.get_by_role("heading", name="Campaigns appear here").wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1_500)
    assert [url for url in asked if "/api/campaigns" in url] == []
