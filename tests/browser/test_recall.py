"""How an owner meets a recall, an update and a withdrawal: in a browser, with the real servers behind it."""

import re

import pytest

from gateway.events import append
from gateway.store.wakeup import wake
from tests.browser.campaigns import CONTACT, RECALL, UPDATE, WITHDRAWAL, Makers
from tests.browser.checks import BOTH, check, tab
from tests.dsl.wait import until

CONFIRM = "I have read this and will do it"


@pytest.fixture(scope="session")
def makers(demo) -> Makers:
    return Makers(demo.url, demo.password)


def by_serial(unit):
    return {"by": "serials", "serials": [unit["serial"]]}


def recall_of(makers, unit, **how):
    return makers.publish(unit["product"]["code"], RECALL, by_serial(unit), **how)


def card(page):
    return page.get_by_role("region", name="Product safety recall")


def notice_of(owner, kind):
    """The owner's notice of a kind, once it is there."""

    def find():
        feed = owner.get("/api/my/feed")
        return next((one for one in feed["pinned"] + feed["notices"] if one["kind"] == kind), None)

    return until(find, what=f"a notice of kind {kind}")


def test_the_recall_of_three_units_is_one_card_that_opens_to_the_list(demo, makers, open_page, width):
    owner, units = demo.owner("ac-24", "ac-24", "ac-24")
    serials = [unit["serial"] for unit in units]
    makers.publish("ac-24", RECALL, {"by": "serials", "serials": serials})
    until(lambda: len(owner.get("/api/my/feed")["pinned"]) == 3, what="three notices")
    page = open_page(width, owner)
    page.goto("/")
    card(page).wait_for()
    assert card(page).count() == 1
    more = page.locator("details.more").filter(has_text="3 of your products")
    assert sum(serial in card(page).inner_text() for serial in serials) == 1
    more.locator("summary").click()
    assert all(serial in page.locator(".recalls").inner_text() for serial in serials)
    check(page, "20-recall-of-three", width)


def test_a_recall_comes_while_he_looks_and_stays_on_top_until_he_confirms_it(demo, makers, open_page, width):
    owner, (unit, _) = demo.owner("ac-24", "hp-90")
    page = open_page(width, owner)
    page.goto("/")
    page.get_by_role("heading", name="Your products").wait_for()
    page.evaluate("window.stayed = true")
    page.wait_for_timeout(500)  # the stream is open

    campaign = recall_of(makers, unit)
    card(page).wait_for()
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    said = page.get_by_role("status").filter(
        has_text="Product safety recall for Air compressor: The air tank can burst"
    )
    assert said.count() == 1
    top = card(page).bounding_box()["y"]
    assert top < page.get_by_role("heading", name="Your products").bounding_box()["y"]
    assert top < page.get_by_role("heading", name="Notices", exact=True).bounding_box()["y"]
    shown = card(page).inner_text()
    steps = ["Stop using it now.", "Open the valve under the tank", "You choose: repair or refund."]
    for words in [unit["serial"], "Air compressor AC 24", "Flying metal can seriously injure or kill.", *steps]:
        assert words in shown
    links = [link.get_attribute("href") for link in card(page).locator(".recall-foot a").all()]
    assert links == ["tel:08000000142", f"mailto:{CONTACT['email']}", CONTACT["url"]]
    page.locator(".unit").filter(has_text="AC 24").get_by_text("Recalled").wait_for()
    assert page.locator(".unit h3").first.inner_text().startswith("Air compressor")
    check(page, "20-recall", width)

    page.goto(f"/units/{unit['id']}")
    card(page).wait_for()
    page.goto("/notices")
    card(page).wait_for()
    page.goto("/")
    card(page).wait_for()
    while tab(page)["what"] != CONFIRM:
        assert not page.evaluate("document.activeElement === document.body"), "the keyboard never gets there"
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("^You confirmed today")).wait_for()
    assert card(page).count() == 0
    assert page.evaluate("document.activeElement.id") == "main"
    page.locator(".unit").filter(has_text="AC 24").get_by_text("Recalled").wait_for()  # it is not remedied
    check(page, "21-recall-confirmed", width)

    page.get_by_role("link", name=re.compile("^See what to do")).click()
    page.get_by_role("heading", name="Why you got this").wait_for()
    assert campaign["number"] in page.locator("main").inner_text()
    page.get_by_text("you confirmed it", exact=False).wait_for()
    check(page, "22-recall-notice", width)


def test_two_recalls_stand_on_top_of_each_other_and_nobody_else_sees_them(demo, makers, open_page):
    owner, units = demo.owner("ac-24", "ac-24")
    neighbour, _ = demo.owner("ac-24")
    for unit in units:
        recall_of(makers, unit)
    until(lambda: len(owner.get("/api/my/feed")["pinned"]) == 2, what="both are told")
    page = open_page(owner=owner)
    page.goto("/")
    card(page).nth(1).wait_for()
    assert [unit["serial"] in card(page).nth(place).inner_text() for place, unit in enumerate(units)] == [True, True]

    other = open_page(owner=neighbour)
    other.goto("/")
    other.get_by_role("heading", name="No notices").wait_for()
    assert other.get_by_text("Product safety recall").count() == 0
    mine = notice_of(owner, "recall")["id"]
    other.goto(f"/notices/{mine}")
    other.get_by_role("heading", name="This page is not here").wait_for()
    assert other.goto(f"/n/{mine}").status == 404


def test_the_page_without_a_script_says_everything_and_takes_the_confirmation(demo, makers, open_page):
    owner, (unit,) = demo.owner("ac-24")
    campaign = recall_of(makers, unit)
    notice = notice_of(owner, "recall")
    page = open_page(390, owner, java_script_enabled=False)
    page.goto(f"/n/{notice['id']}")
    shown = page.locator("main").inner_text()
    for words in [
        *["Product safety recall", "The air tank can burst", "Air compressor", "AC 24", unit["serial"]],
        *["Yours is affected: it is on the list of serial numbers", "Flying metal can seriously injure or kill."],
        *["Stop using it now.", "Switch it off and pull the plug.", "Open the valve under the tank"],
        *["You choose: repair or refund.", "A new tank, fitted at your home", CONTACT["phone"], CONTACT["email"]],
        *[
            CONTACT["url"],
            campaign["number"],
            "Published",
            "Why you got this",
            "You own this unit since",
            "Your notices",
        ],
    ]:
        assert words in shown, words
    assert page.locator("svg.n-chart").count() == 0, "there is no measurement behind a recall"
    page.get_by_role("button", name=CONFIRM).click()
    page.get_by_text(re.compile("^You confirmed on ")).wait_for()
    assert page.get_by_role("button", name=CONFIRM).count() == 0
    feed = owner.get("/api/my/feed")
    assert (feed["pinned"], feed["notices"][0]["id"]) == ([], notice["id"])

    scripted = open_page(390, owner)
    scripted.goto(f"/n/{notice['id']}")
    check(scripted, "23-recall-permalink", 390, schemes=BOTH)


def test_a_german_owner_reads_german_everywhere(demo, makers, open_page):
    owner, (unit,) = demo.owner("ac-24", language="de")
    recall_of(makers, unit)
    notice = notice_of(owner, "recall")
    page = open_page(390, owner)
    page.goto("/")
    page.get_by_role("button", name="Bestätigen: gelesen, ich tue das").wait_for()
    check(page, "24-recall-german", 390, schemes=BOTH)
    page.goto(f"/notices/{notice['id']}")
    page.get_by_role("heading", name="Warum Sie das erhalten").wait_for()
    page.get_by_text("Ihre Meldungen").first.wait_for()
    page.get_by_text(re.compile("^Ihnen gehört dieses Gerät seit")).wait_for()
    page.goto(f"/n/{notice['id']}")
    shown = page.locator("main").inner_text()
    for words in (
        "Produktsicherheitsrückruf",
        "Ihres ist betroffen",
        "Nicht mehr benutzen",
        "Ihre Meldungen",
    ):
        assert words in shown
    for english in ("shown in the feed", "you own this unit", "Shown in"):
        assert english not in shown


def test_what_is_replaced_or_withdrawn_says_so_without_red_and_the_owner_is_told(demo, makers, open_page):
    owner, (unit,) = demo.owner("ac-24")
    page = open_page(owner=owner)
    page.goto("/")
    page.get_by_role("heading", name="No notices").wait_for()
    page.wait_for_timeout(500)  # the stream is open
    first = recall_of(makers, unit)
    card(page).wait_for()
    second = recall_of(makers, unit, supersedes=first["id"])
    page.get_by_text(f"Replaced by {second['number']}", exact=True).wait_for()
    until(lambda: card(page).count() == 1, what="only the newer one is on top")

    makers.publish("ac-24", WITHDRAWAL, None, supersedes=second["id"])
    page.get_by_role("heading", name=WITHDRAWAL["title"]["en"]).wait_for()
    page.get_by_text("Withdrawn", exact=True).wait_for()
    until(lambda: card(page).count() == 0, what="nothing is on top any more")
    until(lambda: page.locator(".chip.safety").count() == 0, what="the unit is red no more")
    page.get_by_text("The tank was tested: it holds.").wait_for()
    check(page, "25-withdrawn", 390, schemes=BOTH)
    page.get_by_role("link", name=WITHDRAWAL["title"]["en"], exact=True).click()
    page.get_by_role("heading", name="Why you got this").wait_for()
    check(page, "26-withdrawal-notice", 390, schemes=BOTH)


def test_an_update_says_from_which_version_to_which_and_closes_when_it_is_installed(demo, makers, open_page):
    owner, (unit,) = demo.owner("hp-90")
    with demo.database() as db:
        db.execute("UPDATE unit SET firmware = '0.1.0' WHERE public_id = %s", [unit["id"]])
    content = UPDATE | {"title": {"en": "Version 0.2.0 for your heat pump", "de": "Version 0.2.0"}}
    makers.publish("hp-90", content, {"by": "firmware", "below": "0.2.0"})
    notice = notice_of(owner, "update")
    page = open_page(owner=owner)
    page.goto("/")
    page.get_by_text("You have 0.1.0. The new version is 0.2.0.").wait_for()
    page.locator(".unit").get_by_text("Update ready").wait_for()
    page.get_by_role("link", name=re.compile("^How to install it")).click()
    page.get_by_text("Choose Update and wait 12 minutes.").wait_for()
    check(page, "27-update-notice", 390, schemes=BOTH)
    page.goto("/")
    page.get_by_text("You have 0.1.0.").wait_for()
    page.wait_for_timeout(500)  # the stream is open

    with demo.database() as db, db.transaction():
        row = db.execute(
            "UPDATE unit SET firmware = '0.2.0' WHERE public_id = %s RETURNING id", [unit["id"]]
        ).fetchone()
        append(db, "unit.firmware_reported", {"firmware": "0.2.0", "before": "0.1.0"}, unit_id=row["id"])
        wake(db)
    page.get_by_text(re.compile("^Installed")).wait_for()
    until(lambda: page.locator(".unit").get_by_text("Update ready").count() == 0, what="the unit has its update")
    plain = open_page(owner=owner, java_script_enabled=False)
    plain.goto(f"/n/{notice['id']}")
    assert "Your product reports version 0.2.0." in plain.locator("main").inner_text()
