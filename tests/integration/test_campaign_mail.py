"""The mail of a recall, an update, a withdrawal and an all-clear, complete in English and German; and that it comes."""

import pytest

from gateway.core.maker import Maker
from gateway.notify.compose import notice_mail
from gateway.notify.links import Links
from tests.dsl.campaigns import office
from tests.dsl.fcm import fcm_server
from tests.dsl.smtp import mail_server, text_of
from tests.dsl.wait import until
from tests.factories.campaigns import (
    RECALL,
    UPDATE,
    WITHDRAWAL,
    add_owners,
    add_units,
    column_values,
    confirm,
    person,
    set_language,
)
from tests.factories.notices import running_worker

AFFECTED = "Yours is affected: lot L1"
VERSION = "You have 2.3. The new version is 2.4."
LINKS = Links("http://gateway.test", b"s" * 32)
MAKER = Maker("Voltrad", "#0b5a75", "#74c4de")


@pytest.fixture
def at(url, db):
    """P1 is Ada's, who reads English, P2 Bob's, who reads German."""
    add_units(db, ("P1", "L1", "2.3"), ("P2", "L1", "2.3"))
    add_owners(db, {"P1": "Ada", "P2": "Bob"})
    confirm(db, "Ada", "Bob")
    set_language(db, "de", "Bob")
    with office(url, db) as opened:
        yield opened


def mails(at):
    """The text of the mails that are due, by language."""
    at.work()
    with at.database.transaction() as tx:
        claimed = at.worker.senders.outbox.claim(tx, "email", at.world.now(), 100)
    return {each.delivery.language: notice_mail(each.delivery, "x@example.org", "p", LINKS, MAKER) for each in claimed}


def lines(mail):
    """The text without links, which differ, and without empty lines."""
    return [line.split(": http://gateway")[0] for line in mail.text.splitlines() if line.strip()]


def test_a_recall(at):
    campaign = at.publish(
        contact={"phone": "0800 000", "email": "help@maker.example", "url": "https://maker.example/r"}
    )
    found = mails(at)
    english = lines(found["en"])
    assert english[:5] == ["PRODUCT SAFETY RECALL", "The pump may catch fire", "Pump P 200", "Serial P1", AFFECTED]
    assert {
        *["The danger: The motor overheats.", "Unplug it now", "You choose: replacement or refund"],
        *["We bring a new one.", "Phone: 0800 000", "Email: help@maker.example", "Web page: https://maker.example/r"],
        *[f"Number: {campaign['number']}", "You own this unit since 1 Jan 2024."],
    } <= set(english)
    german = lines(found["de"])
    assert german[:3] == ["PRODUKTSICHERHEITSRÜCKRUF", "Die Pumpe kann Feuer fangen", "Pumpe P 200"]
    assert {
        *["Seriennummer P2", "Ihres ist betroffen: Charge L1", "Die Gefahr: Der Motor überhitzt."],
        *["Jetzt vom Strom trennen", "Sie wählen: Ersatz oder Geld zurück", "Wir bringen eine neue."],
        *["Telefon: 0800 000", f"Nummer: {campaign['number']}", "Ihnen gehört dieses Gerät seit 1. Jan. 2024."],
    } <= set(german)
    assert found["de"].subject == "Produktsicherheitsrückruf: Die Pumpe kann Feuer fangen"
    assert "List-Unsubscribe" not in found["en"].headers
    assert "The motor overheats." in found["en"].html


def test_an_update(at):
    campaign = at.publish(UPDATE)
    found = mails(at)
    assert lines(found["en"])[:4] == ["Update", "Firmware 2.4", "Pump P 200", "Serial P1"]
    assert {"- It starts softly.", "1. Leave it on over night.", VERSION, f"Number: {campaign['number']}"} <= set(
        lines(found["en"])
    )
    assert {"- Sie läuft sanft an.", "1. Lassen Sie sie über Nacht an.", "Telefon: 0800 000"} <= set(lines(found["de"]))
    assert "Sie haben 2.3. Die neue Version ist 2.4." in lines(found["de"])
    assert "List-Unsubscribe" in found["de"].headers


def test_a_withdrawal_and_an_all_clear(at):
    recall = at.publish()
    at.work()
    second = at.publish(RECALL, {"by": "serials", "serials": ["P1"]}, recall["id"])
    bob = mails(at)["de"]
    assert lines(bob)[:6] == [
        "Hinweis",
        f"Ihr Gerät Pumpe gehört nicht mehr zum Rückruf {recall['number']}",
        "Pumpe P 200",
        "Seriennummer P2",
        f"{second['number']} ersetzt {recall['number']} und betrifft Ihr Gerät nicht.",
        "Sie müssen nichts weiter tun.",
    ]
    assert f"Betrifft: {recall['number']}" in lines(bob)
    third = at.publish(WITHDRAWAL, None, second["id"])
    found = mails(at)
    assert list(found) == ["en"], "Bob was told already"
    assert lines(found["en"])[:6] == [
        *["Information", "The pump is safe", "Pump P 200", "Serial P1"],
        *["Our test was wrong.", "You need not do anything more."],
    ]
    assert {f"Number: {third['number']}", f"Concerns: {second['number']}"} <= set(lines(found["en"]))


def test_a_recall_comes_by_mail_and_push_also_to_who_wants_no_mail(at, url, db, tmp_path):
    """The worker itself, a real mail server, and Firebase as it answers."""
    db.execute("INSERT INTO suppression VALUES ('ada@example.org', now(), 'asked')")
    db.execute(
        "INSERT INTO push_token (public_id, person_id, kind, value, platform, created_at)"
        " VALUES ('x', %s, 'token', 'phone-of-ada', 'android', now())",
        [person(db, "Ada")],
    )
    with mail_server() as mail, fcm_server(tmp_path) as fcm:
        both = {"smtp_url": mail.url, "fcm_credentials": fcm.credentials, "fcm_url": fcm.url}
        campaign = at.publish()
        with running_worker(url, **both):
            ended = "SELECT count(*) FROM outbox WHERE status = 'delivered' AND channel = 'email'"
            until(lambda: column_values(db, ended) == [2])
            until(lambda: fcm.phones() == ["phone-of-ada"])
            until(lambda: at.progress(campaign)["notified"] == 2)
    assert sorted(mail.recipients) == ["ada@example.org", "bob@example.org"]
    assert {str(sent["Importance"]) for sent in mail.mails} == {"high"}
    assert "PRODUKTSICHERHEITSRÜCKRUF" in "".join(text_of(sent) for sent in mail.mails)
    kinds = column_values(db, "SELECT DISTINCT kind FROM event WHERE data->>'campaign' = %s", [campaign["id"]])
    assert {"notice.told", "delivery.delivered", "campaign.published"} <= set(kinds)
