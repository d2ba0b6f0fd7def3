"""What goes over the wire: mails as mailboxes want them, pushes as phones want them, and service letters."""

import json
from email.utils import parsedate_to_datetime

import pytest

from gateway.core.clock import system_clock
from gateway.notify.channels.fcm import retry_after
from tests.dsl.fcm import fcm_server
from tests.dsl.smtp import text_of
from tests.dsl.wait import until
from tests.factories.notices import deliveries, make_owner, raise_alarm, running_worker, tries


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
