"""Deliveries are claimed and recorded many at a time: what is urgent goes first, and what breaks holds up no other."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.core.reason import Reason
from gateway.notify.model import Delivered
from gateway.notify.send.results import Answered
from gateway.notify.send.sender import NoticeSender
from gateway.notify.send.senders import Senders
from gateway.store import Database
from tests.dsl.wait import until
from tests.factories.notices import make_owner, raise_alarm, running_worker

SET_UP = {"smtp_url": "smtp://127.0.0.1:1"}


@pytest.fixture
def outbox(url):
    with Database(url, "test-outbox") as database:
        yield Senders(Settings(**SET_UP), database, system_clock).outbox


def add_notices(db, count: int, severity: str = "warning", ago: int = 60) -> None:
    """Notices for Ada's pump that are due by mail."""
    db.execute(
        "WITH n AS (INSERT INTO notice (public_id, person_id, unit_id, rule_id, severity, state, text, why, created_at,"
        ' updated_at) SELECT %s || i, p.id, u.id, \'pump-hot\', %s, \'open\', \'{"title": "Hot", "body": "It is hot.",'
        ' "action": "Stop it."}\', \'{}\', now(), now() FROM person p, unit u, generate_series(1, %s) i RETURNING id)'
        " INSERT INTO outbox (notice_id, channel, due_at, reason, is_safety)"
        " SELECT id, 'email', now() - make_interval(secs => %s), 'test', %s FROM n",
        [f"{severity}-", severity, count, ago, severity == "safety"],
    )


def test_safety_is_claimed_before_what_has_been_due_for_longer(url, db, tmp_path, outbox):
    make_owner(url, tmp_path)
    add_notices(db, 30, ago=600)
    add_notices(db, 2, "safety", ago=1)
    with db.transaction():
        claims = outbox.claim(db, "email", system_clock(), 5)
    assert [claim.delivery.severity for claim in claims] == ["safety"] * 2 + ["warning"] * 3


def test_a_safety_alarm_is_marked_so_from_its_notice_on(url, db, tmp_path):
    make_owner(url, tmp_path, severity="safety")
    with running_worker(url, **SET_UP):
        raise_alarm(db)
        until(lambda: db.execute("SELECT FROM outbox").rowcount)
    assert [row["is_safety"] for row in db.execute("SELECT is_safety FROM outbox")] == [True]


def test_fifty_deliveries_take_as_many_statements_as_five(url, db, tmp_path, outbox, monkeypatch):
    make_owner(url, tmp_path)
    statements = []
    execute = psycopg.Connection.execute

    def counted(connection, *arguments, **more):
        statements.append(arguments)
        return execute(connection, *arguments, **more)

    def send(number: int) -> int:
        add_notices(db, number)
        db.execute("UPDATE notice SET public_id = 'sent-' || id")
        monkeypatch.setattr(psycopg.Connection, "execute", counted)
        statements.clear()
        with db.transaction():
            claims = outbox.claim(db, "email", system_clock(), number)
        answers = [Answered(claim, claim.addresses[0], Delivered(Reason("taken"))) for claim in claims]
        for each in answers:
            each.claim.note(each.address, each.answer)
        with db.transaction():
            outbox.results.record(db, answers, claims, system_clock())
        monkeypatch.undo()
        assert len(claims) == number
        return len(statements)

    assert send(50) == send(5) == 5
    ended = db.execute("SELECT status, attempts, count(*) AS n FROM outbox GROUP BY 1, 2").fetchall()
    assert ended == [{"status": "delivered", "attempts": 1, "n": 55}]


def test_a_notice_that_cannot_be_read_is_tried_again_and_holds_up_no_other(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    add_notices(db, 5)
    db.execute("UPDATE notice SET schema = 99 WHERE public_id = 'warning-3'")
    with running_worker(url, smtp_url=mail.url, send_attempts=2):
        until(lambda: not db.execute("SELECT FROM outbox WHERE status IN ('waiting', 'claimed')").rowcount)
    rows = db.execute("SELECT n.public_id, o.status, o.reason FROM outbox o JOIN notice n ON n.id = o.notice_id")
    ended = {row["public_id"]: row for row in rows}
    assert {name for name, row in ended.items() if row["status"] == "delivered"} == ended.keys() - {"warning-3"}
    assert ended["warning-3"]["status"] == "failed"
    given_up = Reason(ended["warning-3"]["reason"]).document()
    assert (given_up["code"], given_up["count"], given_up["reason"]["code"]) == ("given-up", 2, "unreadable")


def test_what_cannot_be_recorded_ends_as_unknown_and_the_rest_of_the_batch_is_recorded(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    db.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT FROM outbox o JOIN notice n ON n.id = o.notice_id"
        "            WHERE o.id = NEW.outbox_id AND n.public_id = 'warning-3') AND NEW.outcome = 'delivered'"
        " THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$"
    )
    db.execute("CREATE TRIGGER refuse BEFORE INSERT ON delivery_try FOR EACH ROW EXECUTE FUNCTION refuse()")
    add_notices(db, 5)
    with running_worker(url, smtp_url=mail.url):
        until(lambda: not db.execute("SELECT FROM outbox WHERE status IN ('waiting', 'claimed')").rowcount)
    rows = db.execute("SELECT n.public_id, o.status FROM outbox o JOIN notice n ON n.id = o.notice_id ORDER BY 1")
    assert [row["status"] for row in rows] == ["delivered", "delivered", "unknown", "delivered", "delivered"]
    assert len(mail.mails) == 5, "none of them was sent a second time"


def test_words_of_a_server_that_no_database_takes_are_recorded_without_them(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    mail.data = ["554 5.6.0 not\0like this"]
    add_notices(db, 1)
    with running_worker(url, smtp_url=mail.url):
        until(lambda: db.execute("SELECT FROM outbox WHERE status = 'failed'").rowcount)
    assert "notlike this" in db.execute("SELECT reason FROM outbox").fetchone()["reason"]


def test_a_claim_looks_at_what_is_due_only(url, db, tmp_path, outbox):
    make_owner(url, tmp_path)
    add_notices(db, 3)
    later = system_clock() + timedelta(hours=1)
    db.execute("UPDATE outbox SET due_at = %s WHERE id = (SELECT min(id) FROM outbox)", [later])
    with db.transaction():
        assert len(outbox.claim(db, "email", system_clock(), 50)) == 2
        assert outbox.claim(db, "email", system_clock(), 50) == []


class TakesAll:
    """A channel that takes every message at once."""

    async def send(self, delivery, address):
        return Delivered(Reason("taken"))

    async def close(self):
        pass


def test_a_delivery_waits_for_its_record_only_where_many_do_and_all_are_recorded_at_the_end(url, db, tmp_path, outbox):
    make_owner(url, tmp_path)
    add_notices(db, 5)
    with db.transaction():
        claims = outbox.claim(db, "email", system_clock(), 5)

    async def send_all(database: Database) -> list[bool]:
        settings = Settings(**SET_UP, outbox_batch=3)
        sender = NoticeSender(database, outbox, "email", TakesAll(), system_clock, settings)
        tasks = [asyncio.create_task(sender.do(claim)) for claim in claims]
        for _ in range(20):  # turns of the loop, in far less than the time for which answers are gathered
            await asyncio.sleep(0)
        ended = [task.done() for task in tasks]
        await sender.close()
        return ended

    with Database(url, "test-outbox") as database:
        assert asyncio.run(send_all(database)) == [True, True, False, False, False]
    assert [row["status"] for row in db.execute("SELECT status FROM outbox")] == ["delivered"] * 5


def test_messages_go_out_while_the_record_of_those_before_them_waits(url, db, tmp_path, mail):
    make_owner(url, tmp_path)
    add_notices(db, 6)
    with running_worker(url, smtp_url=mail.url, send_concurrency=2):
        with db.transaction():
            db.execute("LOCK TABLE delivery_try IN EXCLUSIVE MODE")
            until(lambda: len(mail.mails) == 6)
        until(lambda: not db.execute("SELECT FROM outbox WHERE status IN ('waiting', 'claimed')").rowcount)
    ended = db.execute("SELECT status, attempts, count(*) AS n FROM outbox GROUP BY 1, 2").fetchall()
    assert ended == [{"status": "delivered", "attempts": 1, "n": 6}]
    assert len(mail.mails) == 6
