"""A recall's story in the staff's console, in real browsers with real servers behind them."""

import re
from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import checks
from tests.browser.checks import tab
from tests.dsl.wait import until

PAULA, PAVEL = "heat@brenhold.example", "garden@brenhold.example"
LETTERS = {
    "Title": ("Air compressor AC 24: tank may burst", "Kompressor AC 24: Der Kessel kann bersten"),
    "Hazard": ("The tank can burst and injure people nearby.", "Der Kessel kann bersten und Menschen verletzen."),
    "How, and why": ("Switch it off. Pull the plug.", "Schalten Sie ihn aus. Ziehen Sie den Stecker."),
}
CONTACT = {"phone": "+49 800 1234567", "email": None, "url": None}


def check(page, name, width):
    checks.check(page, f"console-{name}", width, target=36 if width >= 1024 else 44)


class Api:
    """Somebody who needs no browser."""

    def __init__(self, demo: Any, email: str, password: str | None = None) -> None:
        self.http = httpx.Client(base_url=demo.url, headers={"origin": demo.url}, timeout=20)
        if password:
            self("POST", "/api/sign-in", email=email, password=password)

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def close(self) -> None:
        self.http.close()

    def draft(self, serials: list[str]) -> Any:
        return self("POST", "/api/campaigns", **recall_of(serials))


def recall_of(serials: list[str]) -> dict[str, Any]:
    """A draft of a recall of these units."""
    title = "Air compressor AC 24: tank may burst"
    content = {
        "kind": "recall",
        "title": {"en": title, "de": title},
        "hazard": {"en": "The tank can burst.", "de": "Der Kessel kann bersten."},
        "action": "stop_using",
        "action_text": {"en": "Pull the plug.", "de": "Ziehen Sie den Stecker."},
        "remedies": ["repair", "refund"],
        "remedy_text": {},
        "contact": CONTACT,
    }
    audience = {"by": "serials", "serials": serials}
    return {"product": "ac-24", "content": content, "audience": audience, "supersedes": None}


@pytest.fixture
def paula(demo):
    with closing(Api(demo, PAULA, demo.password)) as api:
        yield api


@pytest.fixture
def pavel(demo):
    with closing(Api(demo, PAVEL, demo.password)) as api:
        yield api


@pytest.fixture
def units(demo):
    """Two compressors that nobody owns or will own."""
    return [{"serial": serial} for serial, _ in (demo.make_units("ac-24") for _ in range(2))]


@pytest.fixture
def owner(demo, fresh_email):
    """Jana, with a compressor of her own."""
    jana = {"email": fresh_email, "name": "Jana Möller", "password": "correct horse battery", "language": "en"}
    with closing(Api(demo, fresh_email)) as api:
        api("POST", "/api/sign-up", **jana)
        api("POST", "/api/confirm", email=fresh_email, code=demo.code_for(fresh_email))
        serial, code = demo.make_units("ac-24")
        api("POST", "/api/my/units", serial=serial, code=code, product="ac-24")
        yield api


def enter(page, demo, email, path="/console/campaigns"):
    page.goto(path)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(demo.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^[^?]*/(console|account)"))


@pytest.fixture
def other_person(new_context, demo, width):
    """Another browser, with another person in it."""
    page = new_context(base_url=demo.url, viewport={"width": width, "height": 900}, locale="en-GB").new_page()
    enter(page, demo, PAVEL)
    return page


def progress_tile(page, name):
    return page.locator(".fun li").filter(has_text=name).locator("b")


def expect_saved(page):
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def test_a_recall_is_drafted_counted_approved_by_a_second_person_and_followed_live(  # noqa: PLR0915
    page, other_person, demo, width, owner, units
):
    [own] = [unit["serial"] for unit in owner("GET", "/api/my/units")["units"]]
    serials = [own, *(unit["serial"] for unit in units)]
    enter(page, demo, PAULA, "/console/campaigns")
    page.get_by_role("heading", name="Campaigns").first.wait_for()
    check(page, "1-list", width)
    page.get_by_role("link", name="New recall").click()
    page.get_by_role("button", name=re.compile("AC 24")).wait_for()
    check(page, "2-new", width)
    page.get_by_role("button", name=re.compile("AC 24")).click()

    page.get_by_role("heading", name="Untitled draft").wait_for()
    check(page, "3-blank", width)
    for label, texts in LETTERS.items():
        for language, text in zip(("English", "German"), texts, strict=True):
            page.get_by_label(f"{language}: {label}").fill(text)
    page.get_by_label("Stop using it now").check()
    page.get_by_label("Repair").check()
    page.get_by_label("Refund").check()
    page.get_by_label("Phone").fill("+49 800 1234567")
    page.get_by_role("button", name="Serial list").click()
    page.get_by_label("Serial is in").fill("\n".join(serials[:2]))
    expect(page.locator(".big b")).to_have_text("2")
    page.get_by_label("Serial is in").fill("\n".join(serials).lower() + "\nAC24-00-000000")
    expect(page.locator(".big b")).to_have_text("3")
    expect(page.get_by_text("Not units of this product:")).to_be_visible()
    table = "Serial;Lot\n" + "\n".join(f"{serial};L1" for serial in serials)
    page.get_by_label("Read a CSV file").set_input_files(
        {"name": "tanks.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    expect(page.get_by_text("3 serials from tanks.csv")).to_be_visible()
    expect(page.get_by_text("Nothing blocks approval")).to_be_visible()
    expect(page.locator(".reach .hd .num")).to_have_text(re.compile("^1 · 33.3"))
    expect_saved(page)
    check(page, "4-draft", width)

    expect(page.get_by_text("A second person approves", exact=False).first).to_be_visible()
    assert page.get_by_label("Number of units").count() == 0, "the author is let approve"

    other_person.goto(page.url)
    expect(other_person.get_by_text("You are reading")).to_be_visible()
    assert other_person.get_by_label("English: Hazard").is_disabled()
    send = other_person.get_by_role("button", name="Send the recall")
    assert send.is_disabled()
    other_person.get_by_label("Number of units").fill("4")
    other_person.get_by_label("Number of units").press("Enter")
    expect(other_person.get_by_text("This is not the number of units")).to_be_visible()
    assert send.is_disabled()
    other_person.get_by_label("Number of units").fill("3")
    assert send.is_enabled()
    check(other_person, "5-approve", width)
    page.evaluate("window.stayed = true")
    send.click()
    expect(other_person.get_by_text("Recall, live")).to_be_visible()

    expect(progress_tile(page, "Affected units")).to_have_text("3")
    expect(progress_tile(page, "Registered")).to_have_text("1")
    expect(progress_tile(page, "Notified")).to_have_text("1", timeout=30_000)
    expect(progress_tile(page, "Acknowledged")).to_have_text("0")
    [notice] = until(lambda: owner("GET", "/api/my/feed")["pinned"], what="the recall is pinned")
    owner("POST", f"/api/my/notices/{notice['id']}/acknowledge")
    expect(progress_tile(page, "Acknowledged")).to_have_text("1", timeout=15_000)
    expect(progress_tile(page, "Seen")).to_have_text("1")
    expect(page.get_by_role("row", name=own)).to_contain_text("Acknowledged")
    expect(page.get_by_role("row", name=serials[1])).to_contain_text("Not registered")
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    check(page, "6-live", width)

    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text(re.compile("^Every unit of R-"))).to_be_visible()
    page.get_by_label("English: Reason").fill("The tank was tested; it holds.")
    page.get_by_label("German: Reason").fill("Der Kessel wurde geprüft; er hält.")
    expect(page.get_by_text("Nothing blocks approval")).to_be_visible()
    check(page, "7-withdrawal", width)

    page.go_back()
    page.get_by_role("button", name="Replace").click()
    expect(page.get_by_text(re.compile("^Replaces R-"))).to_be_visible()
    expect(page.get_by_label("English: Hazard")).to_have_value(LETTERS["Hazard"][0])
    expect(page.get_by_label("Serial is in")).to_have_value("\n".join(serials))
    assert page.get_by_label("Product is").is_disabled()


def test_an_update_notice_counts_the_units_below_a_version(page, demo, width, paula):
    enter(page, demo, PAULA, "/console/campaigns/new?kind=update")
    page.get_by_role("button", name=re.compile("AC 24")).click()
    page.get_by_label("Firmware is below").fill("0.1")
    expect(page.locator(".big b")).to_have_text("0")
    page.get_by_label("Firmware is below").fill("99.0")
    expect(page.locator(".big b")).not_to_have_text("0")
    page.get_by_role("link", name=re.compile("^Go to the field ?: Title, English")).click()
    assert page.evaluate("document.activeElement.id") == "content.title.en"
    expect_saved(page)
    check(page, "12-update", width)
    paula("DELETE", f"/api/campaigns/{page.url.rsplit('/', 1)[1]}")


def test_another_ones_edit_is_shown_and_nothing_typed_is_lost(page, demo, width, paula, pavel, units):
    made = paula.draft([unit["serial"] for unit in units])
    path = f"/api/campaigns/{made['id']}"
    enter(page, demo, PAULA, f"/console/campaigns/{made['id']}")
    page.get_by_label("English: Hazard").wait_for()

    def pavel_saves(hazard):
        theirs = pavel("GET", path)
        content = theirs["content"] | {"hazard": {"en": hazard}}
        draft = {"product": "ac-24", "content": content, "audience": theirs["audience"], "supersedes": None}
        pavel("PUT", path, **draft, version=theirs["version"])

    saves = []

    def meanwhile(route):
        """Pavel saves just before what Paula typed arrives, once."""
        if route.request.method == "PUT":
            saves.append(route.request)
            if len(saves) == 1:
                pavel_saves("Pavel's hazard.")
        route.continue_()

    page.route(f"**{path}", meanwhile)
    page.get_by_label("English: Hazard").fill("Paula's hazard.")
    clash = page.get_by_role("alert")
    expect(clash).to_contain_text("Pavel Horak saved this draft")
    expect(clash).to_contain_text("Hazard, English")
    expect(clash).to_be_focused()
    expect(page.get_by_label("English: Hazard")).to_have_value("Paula's hazard.")
    check(page, "8-clash", width)
    page.get_by_role("button", name="Keep mine").click()
    expect_saved(page)
    assert pavel("GET", path)["content"]["hazard"]["en"] == "Paula's hazard."

    pavel_saves("Seen without a reload.")
    expect(page.get_by_label("English: Hazard")).to_have_value("Seen without a reload.")
    paula("DELETE", path)


def test_what_changed_since_it_was_read_is_refused_and_said(page, demo, paula, units, width):
    made = paula.draft([unit["serial"] for unit in units])
    enter(page, demo, PAVEL, f"/console/campaigns/{made['id']}")
    page.get_by_label("Number of units").fill("2")
    page.route("**/approve", lambda route: route.continue_(post_data={"units": 2, "version": 99}))
    page.get_by_role("button", name="Send the recall").click()
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("It was not sent")
    expect(refusal).to_be_focused()
    check(page, "9-refused", width)
    assert paula("GET", f"/api/campaigns/{made['id']}")["state"] == "draft"
    paula("DELETE", f"/api/campaigns/{made['id']}")


def test_only_the_staff_come_in_and_their_language_is_spoken(page, open_page, demo, width, units):
    page.goto("/console/campaigns")
    page.get_by_label("Email").fill("eva.silva@example.org")
    page.get_by_label("Password", exact=True).fill(demo.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="These pages are for staff").wait_for()
    check(page, "10-customer", width)

    vera = demo.manager()
    made = vera.post("/api/campaigns", recall_of([units[0]["serial"]]))
    path = f"/console/campaigns/{made['id']}"
    page = open_page(width, vera)
    page.goto("/account")
    page.get_by_role("link", name="Console", exact=True).click()
    page.get_by_role("heading", name="Alarms").wait_for()
    page.goto("/console/campaigns")
    page.locator(f"a[href='{path}']").first.wait_for()
    page.request.put("/api/my/language", data={"language": "de"}, headers={"origin": demo.url})
    page.goto(path)
    page.get_by_role("heading", name="Empfängerkreis").wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
    check(page, "11-german", width)
    page.request.put("/api/my/language", data={"language": "en"}, headers={"origin": demo.url})
    page.goto("/console/campaigns")
    page.locator(f"a[href='{path}']").first.click()
    page.get_by_role("button", name="Discard the draft").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_label("English: Hazard").wait_for()


def test_the_keyboard_gets_through_a_draft_and_always_shows_where_it_is(page, demo, paula, units, width):
    made = paula.draft([units[0]["serial"]])
    enter(page, demo, PAULA, f"/console/campaigns/{made['id']}")
    page.get_by_label("English: Hazard").wait_for()
    page.reload()
    page.get_by_label("English: Hazard").wait_for()
    assert tab(page)["what"] == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    ids = []
    for _ in range(60):
        focused = tab(page)
        if focused["body"]:
            break
        ids.append(page.evaluate("document.activeElement.id"))
        ring = focused["ring"] != "none" or page.evaluate("!!document.activeElement.closest('.file')")
        assert ring, f"no focus ring on {focused['what']}"
        assert focused["seen"], f"the focus is on something unseen: {focused['what']}"
    assert {"content.hazard.en", "content.hazard.de", "content.contact.phone", "audience.serials"} <= set(ids), ids
    paula("DELETE", f"/api/campaigns/{made['id']}")
