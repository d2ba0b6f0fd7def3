"""A unit that matches a recall after its publication: counted in the console, and "being checked" for its owner."""

import secrets

import pytest
from playwright.sync_api import expect

from gateway.demo.visitor import Visitor
from tests.browser import checks
from tests.browser.campaigns import CONTACT, RECALL, Makers

MANAGER = "heat@brenhold.example"


@pytest.fixture(scope="module")
def makers(demo) -> Makers:
    return Makers(demo.url, demo.password)


@pytest.fixture
def recalled_lot(demo, makers):
    """A lot of compressors, and the campaign that recalled the one unit it had."""
    lot = f"LOT-{secrets.token_hex(3).upper()}"
    demo.set_lot("ac-24", f"TEST-{secrets.token_hex(4).upper()}", lot)
    return lot, makers.publish("ac-24", RECALL, {"by": "lots", "lots": [lot]})


def test_units_that_join_a_recalled_lot_appear_on_the_open_page_of_the_campaign(demo, recalled_lot, open_page, width):
    lot, campaign = recalled_lot
    manager = Visitor.sign_in(demo.url, MANAGER, demo.password)
    _, (unit,) = demo.owner("ac-24")
    page = open_page(width, manager)
    page.goto(f"/console/campaigns/{campaign['id']}")
    page.get_by_role("heading", name=RECALL["title"]["en"]).wait_for()
    joined = page.get_by_role("region", name="Matching since it was published")
    assert joined.count() == 0

    demo.set_lot("ac-24", unit["serial"], lot)
    expect(joined).to_contain_text("1 unit matches since it was published, 1 with an owner.", timeout=15_000)
    nobodys = f"TEST-{secrets.token_hex(4).upper()}"
    demo.set_lot("ac-24", nobodys, lot)
    expect(joined).to_contain_text("2 units match since it was published, 1 with an owner.", timeout=15_000)
    expect(joined.get_by_role("row", name=unit["serial"])).to_contain_text(f"lot {lot}")
    expect(joined.get_by_role("row", name=unit["serial"])).to_contain_text("Registered")
    expect(joined.get_by_role("row", name=nobodys)).to_contain_text("Not registered")
    box, numbers = joined.bounding_box(), page.locator(".fun").bounding_box()
    assert box["y"] + box["height"] < numbers["y"], "it touches the numbers below it"
    checks.check(page, "joined-1-console", width, target=36 if width >= 1024 else 44)

    demo.set_lot("ac-24", nobodys, "OTHER")
    expect(joined).to_contain_text("1 unit matches", timeout=15_000)
    expect(joined.get_by_role("row", name=nobodys)).to_have_count(0)


WORDS = {
    "en": ("Being checked", "May be affected by recall", "We are checking whether it concerns your unit."),
    "de": ("Wird geprüft", "Vielleicht vom Rückruf", "Wir prüfen, ob Ihr Gerät dazugehört."),
}


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("de", 390)])
def test_its_owner_reads_that_it_is_being_checked_and_whom_to_ask(demo, recalled_lot, open_page, language, width):
    lot, campaign = recalled_lot
    owner, (unit,) = demo.owner("ac-24", language=language)
    demo.set_lot("ac-24", unit["serial"], lot)
    chip, headline, text = WORDS[language]
    page = open_page(width, owner)
    page.goto("/")
    page.locator(".unit").get_by_text(chip, exact=True).wait_for()
    assert page.locator(".unit .chip.ok").count() == 0, "it is not called fine"
    if width == 390:
        checks.check(page, "joined-2-home", width, schemes=checks.BOTH)
    page.goto(f"/units/{unit['id']}")
    strip = page.locator(".strip")
    for words in (f"{headline} {campaign['number']}", RECALL["title"][language], text, *CONTACT.values()):
        expect(strip).to_contain_text(words)
    links = [link.get_attribute("href") for link in strip.get_by_role("link").all()]
    assert links == ["tel:08000000142", f"mailto:{CONTACT['email']}", CONTACT["url"]]
    assert owner.get("/api/my/feed")["pinned"] == [], "nobody is told before it is clear"
    checks.check(page, f"joined-3-unit-{language}", width)
