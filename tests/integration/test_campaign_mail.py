"""The mail of a recall, an update, a withdrawal and an all-clear, complete in English and German; and that it comes."""

import pytest

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
    column,
    confirm,
    person,
    speak,
)
from tests.factories.notices import running_worker

LINKS = Links("http://gateway.test", b"s" * 32)


@pytest.fixture
def at(url, db):
    """P1 is Ada's, who reads English, P2 Bob's, who reads German."""
    add_units(db, ("P1", "L1", "2.3"), ("P2", "L1", "2.3"))
    add_owners(db, {"P1": "Ada", "P2": "Bob"})
    confirm(db, "Ada", "Bob")
    speak(db, "de", "Bob")
    with office(url, db) as opened:
        yield opened


def mails(at):
    """The text of the mails that are due, by language."""
    at.work()
    with at.database.transaction() as tx:
        claimed = at.worker._post.outbox.claim(tx, "email", at.world.now(), 100)
    return {each.delivery.language: notice_mail(each.delivery, "x@example.org", "p", LINKS) for each in claimed}


def lines(mail):
    """The text without links, which differ, and without empty lines."""
    return [line.split(": http://gateway")[0] for line in mail.text.splitlines() if line.strip()]


def test_a_recall(at):
    campaign = at.publish(
        contact={"phone": "0800 000", "email": "help@maker.example", "url": "https://maker.example/r"}
    )
    found = mails(at)
    assert lines(found["en"]) == [
        "Product safety recall",
        "The pump may catch fire",
        "The hazard: The motor overheats.",
        "What to do: Unplug it. Unplug it now.",
        "What you get: replacement, refund. We bring a new one.",
        "Questions: 0800 000, help@maker.example, https://maker.example/r",
        "Pump, serial P1",
        f"Number {campaign['number']}",
        "See the notice",
        "Why you get this:",
        "Your unit is meant: lot L1.",
        "you own this unit since 2024-01-01",
        "Sent by email because email is the only way you gave us.",
        "Safety notices always come, also to addresses that want no other mail.",
    ]
    assert lines(found["de"]) == [
        "Produktsicherheitsrückruf",
        "Die Pumpe kann Feuer fangen",
        "Die Gefahr: Der Motor überhitzt.",
        "Was zu tun ist: Ziehen Sie den Stecker. Ziehen Sie jetzt den Stecker.",
        "Was Sie bekommen: Ersatz, Erstattung. Wir bringen eine neue.",
        "Fragen: 0800 000, help@maker.example, https://maker.example/r",
        "Pumpe, Seriennummer P2",
        f"Nummer {campaign['number']}",
        "Meldung ansehen",
        "Warum Sie das erhalten:",
        "Ihr Gerät ist gemeint: Charge L1.",
        "Ihnen gehört dieses Gerät seit 2024-01-01",
        "Per E-Mail, denn E-Mail ist der einzige Weg, den Sie uns gegeben haben.",
        "Sicherheitsmeldungen kommen immer, auch an Adressen, die sonst keine E-Mail wollen.",
    ]
    assert found["de"].subject == "Die Pumpe kann Feuer fangen"
    assert "List-Unsubscribe" not in found["en"].headers
    assert "The motor overheats." in found["en"].html


def test_an_update(at):
    campaign = at.publish(UPDATE)
    found = mails(at)
    assert lines(found["en"])[:8] == [
        "Update",
        "Firmware 2.4",
        "What changes: It starts softly.",
        "What to do: Leave it on over night.",
        "New version: 2.4",
        "Questions: 0800 000",
        "Pump, serial P1",
        f"Number {campaign['number']}",
    ]
    assert lines(found["de"])[2:5] == [
        "Was sich ändert: Sie läuft sanft an.",
        "Was zu tun ist: Lassen Sie sie über Nacht an.",
        "Neue Version: 2.4",
    ]
    assert "Ihr Gerät ist gemeint: Firmware 2.3." in lines(found["de"])
    assert "List-Unsubscribe" in found["de"].headers


def test_a_withdrawal_and_an_all_clear(at):
    recall = at.publish()
    at.work()
    second = at.publish(RECALL, {"by": "serials", "serials": ["P1"]}, recall["id"])
    bob = mails(at)["de"]
    assert lines(bob)[:7] == [
        "Entwarnung",
        f"Ihr Gerät Pumpe gehört nicht mehr zum Rückruf {recall['number']}",
        f"Warum: {second['number']} ersetzt {recall['number']} und betrifft Ihr Gerät nicht.",
        "Was zu tun ist: Sie müssen nichts weiter tun.",
        "Fragen: 0800 000",
        "Pumpe, Seriennummer P2",
        f"Nummer {second['number']}. Ersetzt {recall['number']}.",
    ]
    third = at.publish(WITHDRAWAL, None, second["id"])
    found = mails(at)
    assert list(found) == ["en"], "Bob was told already"
    assert lines(found["en"])[:7] == [
        "All clear",
        "The pump is safe",
        "Why: Our test was wrong.",
        "What to do: You need not do anything more.",
        "Questions: 0800 000",
        "Pump, serial P1",
        f"Number {third['number']}. It replaces {second['number']}.",
    ]


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
            until(lambda: column(db, ended) == [2])
            until(lambda: fcm.phones() == ["phone-of-ada"])
            until(lambda: at.progress(campaign)["notified"] == 2)
    assert sorted(mail.recipients) == ["ada@example.org", "bob@example.org"]
    assert {str(sent["Importance"]) for sent in mail.mails} == {"high"}
    assert "Produktsicherheitsrückruf" in "".join(text_of(sent) for sent in mail.mails)
    kinds = column(db, "SELECT DISTINCT kind FROM event WHERE data->>'campaign' = %s", [campaign["id"]])
    assert {"notice.recorded", "notice.told", "delivery.delivered", "campaign.published"} <= set(kinds)
