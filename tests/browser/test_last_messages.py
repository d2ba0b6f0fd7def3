"""What a unit's owner reads of its last messages: what was not read, what another value stood for, what was refused."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.checks import check
from tests.dsl.mqtt import Devices

TITLE = {"en": "Show the last messages", "de": "Letzte Nachrichten zeigen"}
WORDS = {
    "en": {
        "in part": ("Taken in part", "Readings not taken because another value stands for their time: 1"),
        "ignored": "Fields that are not read: colour, ",
        "taken": "Taken",
        "refused": "Refused: unknown metric",
    },
    "de": {
        "in part": ("Teilweise angenommen", "weil für ihre Zeit schon ein anderer Wert steht: 1"),
        "ignored": "Felder, die nicht gelesen werden: colour, ",
        "taken": "Angenommen",
        "refused": "Abgelehnt: unknown metric",
    },
}
LONG = "a_field_named_at_length_without_a_space"


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("de", 390)])
def test_an_owner_reads_of_each_message_what_was_not_taken_and_why(demo, open_page, language, width):
    owner, (unit,) = demo.owner("hp-90", language=language)
    now = round(time.time() * 1000)
    with Devices(demo.mqtt_port) as devices:

        def send(**message):
            devices.send(unit["serial"], message, product="hp-90").flush()

        send(ts=now - 2000, values={"power_kw": 1.5}, colour="red", **{LONG: 1})
        send(ts=now - 2000, values={"power_kw": 2.5, "flow_temp_c": 40})
        send(ts=now - 1000, values={"sparkle": 1})
    page = open_page(width, owner)
    page.goto(f"/units/{unit['id']}")
    page.get_by_text(TITLE[language]).click()
    words = WORDS[language]
    messages = page.locator(".msgs li")
    expect(messages).to_have_count(3, timeout=15_000)
    refused, in_part, ignored = (messages.nth(place) for place in range(3))
    expect(refused.locator("b")).to_have_text(words["refused"])
    expect(refused).to_contain_text("sparkle")
    expect(in_part.locator("b")).to_have_text(words["in part"][0])
    expect(in_part).to_contain_text(words["in part"][1])
    expect(ignored.locator("b")).to_have_text(words["taken"])
    expect(ignored).to_contain_text(words["ignored"] + LONG)
    check(page, f"messages-{language}", width)
