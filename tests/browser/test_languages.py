"""Every page in a made-up language that brackets what the catalog says: what stands outside was written into the code.

And French, of which there are a few words: it is offered, and the rest is English.
"""

import re
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import expect

from tests.browser.campaigns import RECALL, UPDATE, WITHDRAWAL, Makers
from tests.browser.conftest import DATA
from tests.browser.test_recall import notice_of
from tests.dsl.languages import PSEUDO, in_pseudo, outside_brackets
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until

_READ = """() => {
  const hidden = 'script, style, noscript, option, pre, .serial, .topic, .why small, [lang=en]';
  const texts = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!walk.currentNode.parentElement.closest(hidden)) texts.push(walk.currentNode.textContent);
  for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
    for (const element of document.querySelectorAll(`[${name}]`)) texts.push(element.getAttribute(name));
  return texts;
}"""
_WORD = r"[^\W\d_]{2,}"
_NAMES = ["English", "Deutsch", "Français", "Brenhold", "Jana Möller", "JM", "Vera Lind", "VL", "Android"]
_ADDRESSES = [r"\S+@\S+", r"https?://\S+", r"\b[RUW]-\d+-\d+\b", r"\b(?:TEST|[A-Z]{2}\d+)-[\dA-F-]+\b"]
_TIMES = [r"\b\d+ [A-Z][a-z]{2,3}\b", r"\b(?:CES?T|GMT|UTC)\b", r"\b[A-Z][a-z]+/[A-Z]\w+\b", r"\bmin\b"]


def strings(document):
    """Every text of a document."""
    if isinstance(document, dict):
        return [text for part in document.values() for text in strings(part)]
    if isinstance(document, list):
        return [text for part in document for text in strings(part)]
    return [document] if isinstance(document, str) else []


def written_by_the_maker():
    """Patterns of what the demo's files and the campaigns of these tests say, the longest first."""
    documents = [each for file in Path(DATA).rglob("*.yaml") for each in yaml.safe_load_all(file.read_text("utf-8"))]
    texts = {text for text in strings([*documents, RECALL, UPDATE, WITHDRAWAL]) if re.search(_WORD, text)}
    sentences = {each for text in texts for each in [text, *re.split(r"(?<=[.!?])\s+", text)]}
    patterns = [r"\S.{0,30}?".join(map(re.escape, re.split(r"{\w+}", text))) for text in sentences]
    return sorted(patterns, key=len, reverse=True)


MAKERS = re.compile("|".join([*written_by_the_maker(), *_NAMES, *_ADDRESSES, *_TIMES]))


def strange(page):
    """The words on a page that neither a catalog nor the maker has, once everything is there."""
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)
    texts = [MAKERS.sub(" ", outside_brackets(text)) for text in page.evaluate(_READ)]
    return {word for text in texts for word in re.findall(_WORD, text)}


@pytest.fixture
def open_in(open_page):
    """Opens a page in a language, signed in as somebody if one is given."""

    def open_one(language, visitor=None):
        page = open_page(390, visitor)
        page.add_init_script(f"localStorage.setItem('language', '{language}')")
        return page

    return open_one


def test_nothing_is_written_into_the_pages_before_the_sign_in(open_in):
    page = open_in(PSEUDO)
    found = {}
    for path in ("/sign-in", "/sign-up", "/forgot", "/invitation"):
        page.goto(path)
        found[path] = strange(page)
    page.goto("/sign-in")
    page.locator("#email").fill("nobody@example.com")
    page.locator("#password").fill("a wrong password")
    page.locator("form button[type=submit]").click()
    page.get_by_role("alert").wait_for()
    found["refused"] = strange(page)
    page.goto("/sign-up")
    page.locator("form button[type=submit]").click()
    found["wrong fields"] = strange(page)
    assert {place: words for place, words in found.items() if words} == {}


def test_nothing_is_written_into_the_pages_of_an_owner(demo, open_in):
    owner, (unit, heater) = demo.owner("ac-24", "hp-90", language=PSEUDO)
    makers = Makers(demo.url, demo.password)
    recall = makers.publish("ac-24", in_pseudo(RECALL), {"by": "serials", "serials": [unit["serial"]]})
    notice = notice_of(owner, "recall")
    page = open_in(PSEUDO, owner)
    found = {}
    paths = ["/", "/notices", "/add", "/settings", "/account", "/notices/nothing", f"/notices/{notice['id']}"]
    paths += [f"/n/{notice['id']}", "/n/nothing", f"/units/{unit['id']}", f"/units/{heater['id']}"]
    for path in paths:
        page.goto(path)
        found[path] = strange(page)
    makers.publish("ac-24", in_pseudo(WITHDRAWAL), None, supersedes=recall["id"])
    until(lambda: notice_of(owner, "withdrawal"), what="the withdrawal is told")
    for path in ("/", f"/notices/{notice['id']}", f"/n/{notice['id']}"):
        page.goto(path)
        found[f"{path} withdrawn"] = strange(page)
    assert {place: words for place, words in found.items() if words} == {}


def test_nothing_is_written_into_the_pages_of_an_alarm(demo, open_in):
    owner, _ = demo.owner(language=PSEUDO)
    plate = demo.free_unit("hp-90")
    unit = owner.post("/api/my/units", {"serial": plate["serial"], "code": plate["claim_code"]})
    demo.fault(f"hp-90/{plate['serial']}", "pressure-loss", "120s")
    (notice, *_) = until(lambda: owner.get("/api/my/feed")["notices"], within=60, what="the alarm is told")
    page = open_in(PSEUDO, owner)
    found = {}
    for path in ("/", "/notices", f"/notices/{notice['id']}", f"/units/{unit['id']}", f"/n/{notice['id']}"):
        page.goto(path)
        found[path] = strange(page)
    assert {place: words for place, words in found.items() if words} == {}


def test_nothing_is_written_into_the_pages_of_the_staff(demo, open_in):
    """A quarantined message is there; what its decoder found is said in English, as in the log, and is marked so."""
    manager, (_, (unit,)) = demo.manager(), demo.owner("hp-90")
    manager.client.put(f"{demo.url}/api/my/language", json={"language": PSEUDO}, headers=manager.headers)
    with Devices(demo.mqtt_port) as devices:
        devices.send(unit["serial"], {"values": {"sparkle": 1}}, product="hp-90").flush()
    until(lambda: manager.get("/api/quarantine")["messages"], what="a message is refused")
    page = open_in(PSEUDO, manager)
    found = {}
    for path in ("/console/campaigns", "/console/campaigns/new", "/console/quarantine", "/console/nothing"):
        page.goto(path)
        if path == "/console/quarantine":
            page.locator(".refused summary").first.click()
        found[path] = strange(page)
    titles = " ".join(each["title"] for each in manager.get("/api/campaigns")["campaigns"])  # of other tests
    found["/console/campaigns"] -= set(re.findall(_WORD, titles))
    assert {place: words for place, words in found.items() if words} == {}


def test_the_demos_outbox_speaks_the_browsers_language(demo, open_page):
    visitor, _ = demo.owner("hp-90")
    answer = visitor.client.get(f"{demo.url}/demo/outbox", headers={"Accept-Language": f"{PSEUDO}, en;q=0.5"})
    page = open_page(390)
    page.set_content(answer.text)
    shown = page.locator("h1, nav a, .kind, summary, main > p").all_text_contents()
    assert len(shown) > 6
    assert [text for text in shown if outside_brackets(text).strip()] == []


def test_a_german_reader_is_refused_in_german(open_in):
    page = open_in("de")
    page.goto("/sign-in")
    page.get_by_label("E-Mail").fill("nobody@example.com")
    page.get_by_label("Passwort", exact=True).fill("ein falsches Passwort")
    page.get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Die Adresse oder das Passwort ist falsch.")
    page.goto("/sign-up")
    page.get_by_label("Ihr Name").fill("Jana")
    page.get_by_label("E-Mail").fill("jana.refused@example.com")
    page.get_by_label("Passwort", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Code senden").click()
    page.get_by_label("Code", exact=True).fill("00000000")
    page.get_by_role("button", name="Adresse bestätigen").click()
    expect(page.get_by_role("alert")).to_contain_text("Der Code ist falsch oder gilt nicht mehr.")


def test_a_language_in_part_is_offered_and_speaks_english_where_it_has_no_words(demo, open_page):
    owner, _ = demo.owner("hp-90")
    page = open_page(1440, owner)
    page.goto("/settings")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("link", name="Produits").first).to_be_visible()
    expect(page.get_by_role("link", name="Notices").first).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert owner.get("/api/me")["language"] == "fr"


def test_a_person_chooses_the_time_zone_and_reads_it_beside_the_times(demo, open_page):
    owner, _ = demo.owner("hp-90")
    page = open_page(1440, owner, timezone_id="America/New_York")
    page.goto("/settings")
    zone = page.get_by_role("combobox", name="Time zone")
    expect(zone).to_have_value("UTC")
    page.get_by_role("button", name="Use that of this device: America/New_York").click()
    expect(page.get_by_role("contentinfo")).to_contain_text(re.compile(r"Times are in GMT-[45]\."))
    zone.select_option("Asia/Tokyo")
    expect(page.get_by_role("contentinfo")).to_contain_text("Times are in GMT+9.")
    assert owner.get("/api/me")["time_zone"] == "Asia/Tokyo"
