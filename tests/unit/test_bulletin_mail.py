"""The mails and pushes of recalls, updates and withdrawals: every element, in the owner's language, and harmless."""

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from gateway.core.maker import Maker
from gateway.core.reason import Reason
from gateway.notify.compose import notice_mail, notice_push
from gateway.notify.links import Links
from gateway.notify.model import Delivery

LINKS = Links("https://gateway.example", b"k" * 32)
MAKER = Maker("Voltrad", "#0b5a75", "#74c4de")
CONTACT = {"phone": "0800 000 0142", "email": "recall@brenhold.example", "url": "https://brenhold.example/ac-24"}
SINCE = datetime(2024, 3, 12, tzinfo=UTC)
RECALL = Delivery(
    id=1,
    notice_id=1,
    notice="n1",
    channel="email",
    person_id=1,
    person="ada",
    unit_id=1,
    kind="recall",
    campaign="c1",
    severity="safety",
    text={"title": "The air tank can burst", "body": "Flying metal can kill.", "action": "Pull the plug."},
    why={
        "number": "R-2026-02",
        "hazard": "Flying metal can kill.",
        "action": "stop_using",
        "action_text": "Pull the plug. Open the valve.",
        "remedies": ["repair", "refund"],
        "remedy_text": "Both are free.",
        "contact": CONTACT,
        "matched": Reason.of("matched-lot", what="L2305"),
        "published_at": "2026-11-16T12:00:00+00:00",
        "replaces": "R-2026-01",
        "told_because": Reason.of("owned", since=SINCE),
        "sent_because": Reason.of("chosen", channel="email"),
    },
    language="en",
    time_zone=None,
    serial="AC24-23-071552",
    product="Air compressor",
    model="AC 24",
    attempt=1,
    claimed_at=datetime(2026, 11, 16, 12, tzinfo=UTC),
    again=False,
    follows=None,
)
UPDATE = replace(
    RECALL,
    kind="update",
    severity="info",
    text={"title": "Version 2.4.0", "body": "Defrosts faster.", "action": "Press the menu key."},
    why={
        "number": "U-2026-01",
        "changes": "Defrosts faster. Closes a security gap.",
        "action_text": "Press the menu key. Choose Update.",
        "version": "2.4.0",
        "contact": {"phone": "0800 1"},
        "matched": Reason.of("matched-firmware", what="2.3.1"),
        "published_at": "2026-11-16T12:00:00+00:00",
        "told_because": Reason.of("owned", since=SINCE),
    },
)
WITHDRAWAL = replace(
    RECALL,
    kind="withdrawal",
    text={"title": "Recall R-2026-01 is withdrawn", "body": "Your unit was never affected.", "action": "Do nothing."},
    why={
        "number": "W-2026-01",
        "reason": "Your unit was never affected.",
        "contact": CONTACT,
        "matched": Reason.of("matched-lot", what="L2305"),
        "published_at": "2026-11-16T12:00:00+00:00",
        "replaces": "R-2026-01",
        "told_because": Reason.of("owned", since=SINCE),
    },
)
ALARM = replace(
    RECALL,
    kind="alarm",
    campaign=None,
    severity="warning",
    why={
        "plain": "We tell you when “Temperature” is above 90 °C.",
        "value": 95.0,
        "limit": 90,
        "unit": "°C",
        "raised_at": "2026-11-16T12:00:00+00:00",
        "told_because": Reason.of("owned", since=SINCE),
    },
)
EVERYTHING = {
    "recall": [
        *["The air tank can burst", "Air compressor", "AC 24", "AC24-23-071552", "L2305", "Flying metal can kill."],
        *["Pull the plug.", "Open the valve.", "Both are free.", *CONTACT.values(), "R-2026-02", "R-2026-01"],
    ],
    "update": [
        *["Version 2.4.0", "Air compressor", "AC24-23-071552", "2.3.1", "2.4.0", "Defrosts faster."],
        *["Closes a security gap.", "Press the menu key.", "Choose Update.", "0800 1", "U-2026-01"],
    ],
    "withdrawal": [
        *["Recall R-2026-01 is withdrawn", "Air compressor", "AC24-23-071552", "Your unit was never affected."],
        *["W-2026-01", "R-2026-01", *CONTACT.values()],
    ],
}
WORDS = {
    ("recall", "en"): [
        *["Product safety recall", "Stop using it now", "You choose: repair or refund", "16 Nov 2026"],
        "Sent on every channel at once",
    ],
    ("recall", "de"): ["Produktsicherheitsrückruf", "Nicht mehr benutzen", "Sie wählen: Reparatur oder Geld zurück"],
    ("update", "en"): ["What changes", "How to install it", "You have 2.3.1. The new version is 2.4.0."],
    ("update", "de"): ["Was sich ändert", "So installieren Sie es", "Sie haben 2.3.1. Die neue Version ist 2.4.0."],
    ("withdrawal", "en"): ["Information", "Concerns", "Published"],
    ("withdrawal", "de"): ["Hinweis", "Betrifft", "16. Nov. 2026"],
}


class ParsedPage(HTMLParser):
    """The text and the links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.links, self.tags = "", [], []
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("delivery", [RECALL, UPDATE, WITHDRAWAL], ids=lambda each: each.kind)
def test_a_mail_says_everything_in_html_and_in_text(delivery, language):
    mail = notice_mail(replace(delivery, language=language), "ada@example.org", "ada", LINKS, MAKER)
    shown = ParsedPage(mail.html).text
    for words in EVERYTHING[delivery.kind] + WORDS[delivery.kind, language]:
        assert words in shown
        assert words.lower() in mail.text.lower()
    assert {"en": "since 12 Mar 2024.", "de": "seit 12. März 2024."}[language] in shown
    assert f'lang="{language}"' in mail.html
    assert "{" not in shown + mail.text


@pytest.mark.parametrize(
    ("language", "headline"), [("en", "Product safety recall"), ("de", "Produktsicherheitsrückruf")]
)
def test_a_recall_begins_with_the_headline_that_the_law_fixes(language, headline):
    recall = replace(RECALL, language=language)
    mail = notice_mail(recall, "ada@example.org", "ada", LINKS, MAKER)
    title, body, data = notice_push(recall, LINKS)
    assert mail.subject == title == f"{headline}: The air tank can burst"
    assert body == "Flying metal can kill."
    assert data["severity"] == "safety"
    assert ParsedPage(mail.html).text.index(headline) < ParsedPage(mail.html).text.index("Flying metal")
    again = notice_mail(replace(recall, again=True), "ada@example.org", "ada", LINKS, MAKER)
    assert again.subject.endswith(mail.subject)
    assert again.subject != mail.subject


def test_an_update_and_a_withdrawal_are_called_what_they_are():
    assert notice_mail(UPDATE, "ada@example.org", "ada", LINKS, MAKER).subject == "Version 2.4.0"
    assert notice_push(WITHDRAWAL, LINKS)[0] == "Recall R-2026-01 is withdrawn"
    for calm in (UPDATE, WITHDRAWAL):
        assert "#b3141d" not in notice_mail(calm, "ada@example.org", "ada", LINKS, MAKER).html
    assert "#b3141d" in notice_mail(RECALL, "ada@example.org", "ada", LINKS, MAKER).html


@pytest.mark.parametrize("delivery", [RECALL, UPDATE, WITHDRAWAL, ALARM], ids=lambda each: each.kind)
def test_mails_of_the_same_form_have_each_only_its_own_texts(delivery):
    def mails_of(*names):
        return [notice_mail(_named(delivery, name), f"{name}@example.org", name, LINKS, MAKER) for name in names]

    ada, ben, ada_again = mails_of("ada", "ben", "ada")
    assert ada == ada_again
    for one, other, mail in (("ada", "ben", ada), ("ben", "ada", ben)):
        for shown in (mail.text, ParsedPage(mail.html).text):
            assert f"serial-of-{one}" in shown
            assert f"Why-{one}" in shown
            assert f"serial-of-{other}" not in shown
            assert f"Why-{other}" not in shown
        (link,) = (each for each in ParsedPage(mail.html).links if "/l/" in each)
        assert LINKS.read_open(link.rpartition("/")[2]).notice == f"notice-of-{one}"
        assert link in mail.text


def test_a_mail_says_nothing_in_place_of_what_it_does_not_have():
    told = notice_mail(RECALL, "ada@example.org", "ada", LINKS, MAKER)
    silent = notice_mail(
        replace(RECALL, why=RECALL.why | {"told_because": None}), "ada@example.org", "ada", LINKS, MAKER
    )
    assert "You own this unit since 12 Mar 2024." in told.text
    assert len(told.text.splitlines()) == len(silent.text.splitlines()) + 1
    assert told.html.count("<p ") == silent.html.count("<p ") + 1


def _named(delivery: Delivery, name: str) -> Delivery:
    """The same of another person's unit."""
    why = delivery.why | {"told_because": f"Why-{name}"}
    return replace(delivery, notice=f"notice-of-{name}", serial=f"serial-of-{name}", why=why)


def test_only_safety_has_no_way_out():
    assert "List-Unsubscribe" not in notice_mail(RECALL, "ada@example.org", "ada", LINKS, MAKER).headers
    assert notice_mail(RECALL, "ada@example.org", "ada", LINKS, MAKER).headers["Importance"] == "high"
    update = notice_mail(UPDATE, "ada@example.org", "ada", LINKS, MAKER)
    assert "List-Unsubscribe" in update.headers
    assert any("/u/" in link for link in ParsedPage(update.html).links)


def test_nothing_that_somebody_wrote_becomes_markup_or_a_script():
    evil = "<script>alert(1)</script>"
    contact = {"phone": evil, "email": evil, "url": "javascript:alert(1)"}
    texts = dict.fromkeys(("hazard", "action_text", "remedy_text", "matched", "told_because"), evil)
    recall = replace(
        RECALL,
        text=dict.fromkeys(RECALL.text, evil),
        why=RECALL.why | texts | {"contact": contact},
        product=evil,
        serial=evil,
    )
    mail = notice_mail(recall, "ada@example.org", "ada", LINKS, MAKER)
    seen = ParsedPage(mail.html)
    assert "script" not in seen.tags
    assert not any(link.startswith("javascript:") for link in seen.links)
    assert seen.text.count("alert(1)") >= 8
    assert evil in mail.text  # plain text is no markup
