"""What goes over the wire: mails as mailboxes want them, pushes as phones want them, and service letters."""

import asyncio
import json
from email.utils import parsedate_to_datetime

import pytest

from gateway.core.clock import system_clock
from gateway.notify.channels.email.mailer import Mailer
from gateway.notify.channels.push.sender import retry_after
from gateway.notify.mail import Mail
from gateway.notify.model import Failed
from gateway.registrations.model import OwnerRow
from tests.dsl.fcm import fcm_server
from tests.dsl.reasons import in_words
from tests.dsl.smtp import mail_server, text_of
from tests.dsl.wait import until
from tests.factories.imports import import_owners
from tests.factories.notices import deliveries, make_owner, raise_alarm, running_worker, tries


def bring_owner(db, email, since="2024-02-01T00:00:00Z"):
    """P1 gets another owner by a file, whose address is confirmed; nobody else has an account then."""
    import_owners(db, {2: OwnerRow(person="Owner", email=email, unit="pump/P1", since=since)}, actor="test")
    db.execute(
        "UPDATE account SET person_id = (SELECT person_id FROM ownership WHERE unit_id ="
        " (SELECT id FROM unit WHERE serial = 'P1') AND upper_inf(during))"
    )


def test_a_mail_is_whole(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    with running_worker(url, smtp_url=mail.url, mail_from="Brenhold <products@brenhold.example>"):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == "delivered")
    (sent,) = mail.mails
    notice = db.execute("SELECT public_id FROM notice").fetchone()["public_id"]
    assert mail.recipients == ["ada@example.org"]
    assert (sent["From"], sent["Subject"]) == ("Brenhold <products@brenhold.example>", "Switch the pump off")
    assert sent["Message-ID"] == f"<{notice}.email@brenhold.example>"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert abs((parsedate_to_datetime(sent["Date"]) - system_clock()).total_seconds()) < 60
    assert sent["List-Unsubscribe"].startswith("<http://gateway.test/u/")
    assert f"List-Unsubscribe: {sent['List-Unsubscribe']}\r\n".encode() in mail.raw[0], "in one line, as it is"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        body = text_of(sent, kind)
        assert "It is 95 °C." in body
        assert "Let it cool." in body
        assert "http://gateway.test/l/" in body
        assert "we have" not in body
        assert "email is the only way you gave us" in body
    assert deliveries(db)["email"]["provider_id"].endswith("queued as 1")


@pytest.mark.parametrize(
    ("rcpt", "status", "suppressed"),
    [
        ("550 5.1.1 nobody of this name", "failed", True),
        ("550 no such user", "failed", True),
        ("550 5.7.1 we do not like you", "failed", False),
        ("552 5.2.2 mailbox full", "failed", False),
    ],
)
def test_a_mailbox_that_does_not_exist_is_not_written_to_again(url, db, tmp_path, mail, rcpt, status, suppressed):
    make_owner(url, tmp_path)
    mail.rcpt = [rcpt]
    with running_worker(url, smtp_url=mail.url):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == status)
    assert (db.execute("SELECT FROM suppression").fetchone() is not None) == suppressed
    assert rcpt.partition(" ")[0] in deliveries(db)["email"]["reason"]


def test_what_the_server_puts_off_is_sent_later(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    mail.rcpt, mail.data = ["451 4.7.1 greylisted"], ["452 4.3.1 disk full"]
    with running_worker(url, smtp_url=mail.url):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == "delivered")
    assert [outcome for _, outcome in tries(db)] == ["retry", "retry", "delivered"]
    assert len(mail.mails) == 1


@pytest.mark.parametrize("written", ["owner@bücher.example", "owner@xn--bcher-kva.example", "Owner@BÜCHER.example"])
def test_an_address_with_a_domain_in_other_letters_is_reached_however_the_file_writes_it(
    url, db, tmp_path, mail, written
):
    make_owner(url, tmp_path)
    bring_owner(db, written)
    with running_worker(url, smtp_url=mail.url, mail_from="Brenhöld <products@bücher.example>"):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == "delivered")
    (sent,) = mail.mails
    assert mail.recipients == [sent["To"]] == ["owner@xn--bcher-kva.example"]
    assert mail.senders == ["products@xn--bcher-kva.example"]
    assert sent["From"] == "Brenhöld <products@xn--bcher-kva.example>"
    assert sent["Message-ID"].endswith(".email@xn--bcher-kva.example>")
    assert mail.raw[0].isascii()
    assert [outcome for _, outcome in tries(db)] == ["delivered"]


def test_both_spellings_of_a_domain_are_one_person(url, db, tmp_path):
    make_owner(url, tmp_path)
    bring_owner(db, "owner@bücher.example")
    bring_owner(db, "owner@xn--bcher-kva.example", since="2024-03-01T00:00:00Z")
    assert db.execute("SELECT email FROM person WHERE email <> 'ada@example.org'").fetchall() == [
        {"email": "owner@bücher.example"}
    ]


@pytest.mark.parametrize("offered", [True, False])
def test_letters_before_the_at_are_mailed_where_the_server_takes_them_and_else_failed_at_once(
    url, db, tmp_path, offered
):
    """As an older version let them in."""
    make_owner(url, tmp_path)
    db.execute("UPDATE person SET email = 'jürgen@bücher.example'")
    with mail_server(utf8=offered) as mail, running_worker(url, smtp_url=mail.url):
        alarm = raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") in ("delivered", "failed"))
        assert alarm
        found = deliveries(db)["email"]
        assert [outcome for _, outcome in tries(db)] == ["delivered" if offered else "failed"]
    if offered:
        assert mail.recipients == [mail.mails[0]["To"]] == ["jürgen@xn--bcher-kva.example"]
    else:
        assert mail.mails == []
        assert "the mail server does not take addresses with letters beyond ASCII before the @" in found["reason"]
        assert db.execute("SELECT FROM suppression").fetchone() is None, "another server may take it"


def test_a_letter_to_such_an_address_ends_as_failed(url, db, mail):
    db.execute(
        "INSERT INTO letter (to_email, template, language, data, created_at, due_at)"
        " VALUES ('jürgen@example.org', 'account_exists', 'en', '{\"name\": \"J\"}', now(), now())"
    )
    with running_worker(url, smtp_url=mail.url):
        until(lambda: db.execute("SELECT FROM letter WHERE status = 'waiting'").fetchone() is None)
    ended = db.execute("SELECT status, attempts, reason FROM letter").fetchone()
    assert (ended["status"], ended["attempts"]) == ("failed", 1)
    assert "SMTPUTF8" in in_words(ended["reason"])


@pytest.mark.parametrize(
    ("to", "subject", "headers"),
    [
        ("ada@exa\u2488mple.example", "Your code", {}),
        ("ada@example.org", "Your code \ud800", {}),
        ("ada@example.org", "Your code", {"List-Unsubscribe": "<http://gateway.test/>\r\nBcc: eve@example.org"}),
    ],
)
def test_a_mail_that_cannot_be_put_together_is_failed_and_never_sent_again(mail, to, subject, headers):
    sender = Mailer(mail.url, "support@example.com", 5, system_clock)
    answer = asyncio.run(sender.send(Mail(to, subject, "text", "<p>text</p>", headers, "key")))
    assert isinstance(answer, Failed)
    assert "could not be put together" in in_words(answer.reason)
    assert not answer.retire_address
    assert mail.mails == []


def test_a_server_that_takes_the_mail_and_goes_away_leaves_it_unknown(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    mail.drop = True
    with running_worker(url, smtp_url=mail.url):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == "unknown")
    assert len(mail.mails) == 1


def test_a_server_that_is_not_there_is_tried_again(url, db, tmp_path):
    make_owner(url, tmp_path)
    with running_worker(url, smtp_url="smtp://127.0.0.1:1", send_attempts=2):
        raise_alarm(db)
        until(lambda: deliveries(db).get("email", {}).get("status") == "failed")
    assert [outcome for _, outcome in tries(db)] == ["retry", "retry"]


def test_a_push_is_whole(url, db, tmp_path):
    make_owner(url, tmp_path, phones=("phone-number-one",))
    with fcm_server(tmp_path) as fcm, running_worker(url, fcm_credentials=fcm.credentials, fcm_url=fcm.url):
        raise_alarm(db)
        until(lambda: fcm.taken)
        until(lambda: deliveries(db)["push"]["status"] == "delivered")
        (sent,) = fcm.taken
        tokens = fcm.tokens
    notice = db.execute("SELECT public_id FROM notice").fetchone()["public_id"]
    assert sent["notification"] == {"title": "Switch the pump off", "body": "It is 95 °C."}
    assert (sent["data"]["notice"], sent["data"]["severity"]) == (notice, "warning")
    assert sent["data"]["link"].startswith("http://gateway.test/l/")
    assert sent["android"]["notification"]["tag"] == sent["apns"]["headers"]["apns-collapse-id"] == notice
    assert tokens == 1


def test_credentials_that_firebase_refuses_are_tried_again_and_nothing_is_lost(url, db, tmp_path):
    make_owner(url, tmp_path, phones=("phone-number-one",))
    with fcm_server(tmp_path) as fcm:
        fcm.refuse_tokens = True
        with running_worker(url, fcm_credentials=fcm.credentials, fcm_url=fcm.url, send_attempts=100):
            raise_alarm(db)
            until(lambda: len(tries(db)) > 1)
            fcm.refuse_tokens = False
            until(lambda: deliveries(db)["push"]["status"] == "delivered")
        assert len(fcm.taken) == 1


def test_letters_are_sent_and_forgotten(url, db, mail):
    for template, data in [
        ("confirm", {"name": "Ada", "code": "12345678", "minutes": 15}),
        ("reset", {"name": "Ada", "code": "87654321", "minutes": 15}),
        ("account_exists", {"name": "Ada"}),
        ("password_changed", {"name": "Ada"}),
        ("invite", {"name": "Ada", "code": "11112222", "days": 7, "role": "support", "invited_by": None}),
        ("unheard-of", {"code": "99999999"}),
    ]:
        for language in ("en", "de"):
            db.execute(
                "INSERT INTO letter (to_email, template, language, data, created_at, due_at)"
                " VALUES ('ada@example.org', %s, %s, %s, now(), now())",
                [template, language, json.dumps(data)],
            )
    mail.rcpt = ["451 later"]
    with running_worker(url, smtp_url=mail.url):
        until(lambda: not db.execute("SELECT id FROM letter WHERE status = 'waiting'").fetchone())
    ended = db.execute("SELECT template, status, data, reason FROM letter ORDER BY id").fetchall()
    assert {(row["template"], row["status"]) for row in ended} == {
        *((name, "sent") for name in ("confirm", "reset", "account_exists", "password_changed", "invite")),
        ("unheard-of", "failed"),
    }
    assert all(row["data"] == {} for row in ended)
    assert "99999999" not in str(ended)
    subjects = [str(sent["Subject"]) for sent in mail.mails]
    assert {"Your code: 12345678", "Ihr Code: 12345678"} <= set(subjects)
    for sent in mail.mails:
        assert "{" not in text_of(sent)
        if "12345678" in str(sent["Subject"]):
            assert "12345678" in text_of(sent)
            assert "12345678" in text_of(sent, "html")
            assert sent["List-Unsubscribe"] is None


def test_retry_after_is_seconds_or_a_date():
    now = system_clock().replace(year=2026, month=7, day=1, hour=12, minute=0, second=0, microsecond=0)
    assert retry_after(None, now) is None
    assert retry_after("0", now).total_seconds() == 0
    assert retry_after(" 120 ", now).total_seconds() == 120
    assert retry_after("Wed, 01 Jul 2026 12:02:00 GMT", now).total_seconds() == 120
    assert retry_after("Wed, 01 Jul 2020 12:02:00 GMT", now).total_seconds() == 0
    assert retry_after("soon", now) is None
