"""What keeps the database from doing a statement, made for real, and what comes of each kind."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from gateway.api.problems import TROUBLE_TEXTS
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.events import append
from gateway.events.reader import NOTIFY, unread_events
from gateway.ingest.ingest import Ingest
from gateway.m2m.inbox import Inbox
from gateway.m2m.link import Link, LinkSettings
from gateway.roles import turns
from gateway.roles.worker import Worker
from gateway.store import TROUBLES, Trouble, connect, pause, trouble_of
from gateway.store.beat import last_beat
from gateway.store.migrate import migrate
from tests.dsl.people import site
from tests.dsl.small_disk import small_disk
from tests.dsl.wait import until

pytestmark = pytest.mark.both


def caught(work) -> Trouble:
    with pytest.raises(TROUBLES) as error:
        work()
    return trouble_of(error.value)


def deadlock(one, two):
    """Two transactions that each want what the other has; raises in the one that the server chooses."""
    for row in ("a", "b"):
        one.execute("INSERT INTO role_beat (role, at, detail) VALUES (%s, now(), '{}') ON CONFLICT DO NOTHING", [row])
    one.execute("SET deadlock_timeout = '50ms'")
    two.execute("SET deadlock_timeout = '10s'")  # so `one` looks first, and is the one that is ended
    two.execute("BEGIN")
    two.execute("UPDATE role_beat SET at = now() WHERE role = 'b'")

    def second():
        two.execute("UPDATE role_beat SET at = now() WHERE role = 'a'")
        two.execute("COMMIT")

    other = threading.Thread(target=second)
    try:
        with one.transaction():
            one.execute("UPDATE role_beat SET at = now() WHERE role = 'a'")
            other.start()
            with connect(two.info.dsn) as watching:
                until(lambda: watching.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is not None)
            one.execute("UPDATE role_beat SET at = now() WHERE role = 'b'")
    finally:
        other.join(20)


def test_each_kind_is_told_apart_by_the_server_itself(url, db):
    with connect(url) as other:
        assert caught(lambda: deadlock(db, other)) is Trouble.CONFLICT
        db.execute("SET statement_timeout = '10ms'")
        assert caught(lambda: db.execute("SELECT pg_sleep(5)")) is Trouble.CANCELLED
        db.execute("RESET statement_timeout")
        other.execute("BEGIN")
        other.execute("LOCK TABLE product")
        db.execute("SET lock_timeout = '10ms'")
        assert caught(lambda: db.execute("SELECT FROM product")) is Trouble.LOCK
        other.execute("ROLLBACK")
        db.execute("SET default_transaction_read_only = on")
        assert caught(lambda: db.execute("DELETE FROM event_waiting")) is Trouble.READ_ONLY
        other.execute("SELECT pg_terminate_backend(%s)", [db.info.backend_pid])
        assert caught(lambda: db.execute("SELECT 1")) is Trouble.AWAY
    assert caught(lambda: connect(psycopg.conninfo.make_conninfo(url, dbname="not_there"))) is Trouble.AWAY


def test_a_serialization_failure_is_a_conflict(url, db):
    db.execute("INSERT INTO role_beat (role, at, detail) VALUES ('a', now(), '{}')")
    with connect(url) as other:
        other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT FROM role_beat").fetchall()
        db.execute("UPDATE role_beat SET at = now()")
        assert caught(lambda: other.execute("UPDATE role_beat SET at = now()")) is Trouble.CONFLICT


def test_a_server_without_a_free_connection_is_crowded(url, db):
    name, user = psycopg.conninfo.conninfo_to_dict(url)["dbname"], f"crowd_{db.info.backend_pid}"
    db.execute(f"CREATE ROLE {user} LOGIN CONNECTION LIMIT 0")
    try:
        assert caught(lambda: connect(psycopg.conninfo.make_conninfo(url, user=user))) is Trouble.CROWDED, name
    finally:
        db.execute(f"DROP ROLE {user}")


def test_conflicts_are_tried_again_at_once_a_few_times_and_all_else_after_a_pause():
    assert [pause(Trouble.CONFLICT, tries) for tries in (1, 5)] == [timedelta(), timedelta()]
    assert pause(Trouble.CONFLICT, 6) > timedelta()
    assert all(pause(trouble, 1) > timedelta() for trouble in Trouble if trouble is not Trouble.CONFLICT)


@contextmanager
def ingest(url, **settings) -> Iterator[Ingest]:
    """One that has its connection, and no broker."""
    given = Settings(**settings)
    inbox = Inbox(given.queue_max_messages)
    link = Link(LinkSettings("127.0.0.1", 1, "none", given.mqtt_session_expiry, 1, None), inbox, system_clock)
    made = Ingest(given, url, inbox, link, system_clock)
    assert made.open()
    try:
        yield made
    finally:
        made.writer.connection.close()
        link.close()


def test_ingest_tries_again_at_once_what_lost_a_deadlock_on_the_same_connection(url, caplog):
    tries = []
    with ingest(url) as made:
        before = made.writer.connection

        def work() -> str:
            tries.append(1)
            if len(tries) == 1:
                with connect(url) as other:
                    deadlock(made.writer.connection, other)
            return "done"

        with caplog.at_level(logging.WARNING):
            assert made.writer.keep_trying(work) == "done"
        assert len(tries) == 2
        assert made.writer.connection is before
    assert "Ingest waits for other transactions that change the same rows" in caplog.text


def test_ingest_says_in_its_sign_of_life_what_it_waits_for_and_goes_on_when_it_is_over(url, db):
    results = []
    with ingest(url) as made, connect(url) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE product")
        made.writer.connection.execute("SET lock_timeout = '10ms'")

        def ask() -> None:
            results.append(
                made.writer.keep_trying(lambda: made.writer.connection.execute("SELECT FROM product").rowcount)
            )

        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: last_beat(db, "ingest").detail["waiting_for"] == Trouble.LOCK.value)
        other.execute("ROLLBACK")
        thread.join(20)
    assert results == [0]


def test_the_worker_says_what_it_waits_for_and_goes_on_on_its_connection(url, db, database, monkeypatch):
    worker = Worker(Settings(), database, system_clock)
    stop = threading.Event()
    turns: list[int] = []

    def turn() -> int:
        turns.append(1)
        if len(turns) == 1:
            with database.transaction() as tx:
                tx.execute("SET LOCAL statement_timeout = '10ms'")
                tx.execute("SELECT pg_sleep(5)")
        return 0

    monkeypatch.setattr(worker, "handle_events", turn)

    def sessions() -> list[int]:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
        return [row["pid"] for row in db.execute(query, ["gateway-worker"])]

    thread = threading.Thread(target=worker.run, args=[stop])
    thread.start()
    try:
        until(lambda: (beat := last_beat(db, "worker")) and beat.detail.get("waiting_for") == Trouble.CANCELLED.value)
        before = sessions()
        until(lambda: last_beat(db, "worker").detail["waiting_for"] is None)
        assert sessions() == before != []
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.errors.QueryCanceled("late"), Trouble.CANCELLED.value),
        (LookupError("ours"), "an error of ours, which its log has"),
    ],
)
def test_the_worker_says_what_its_other_thread_waits_for_and_handles_events_meanwhile(
    url, db, database, monkeypatch, error, words
):
    worker = Worker(Settings(wakeup_fallback=timedelta(milliseconds=20)), database, system_clock)
    stop, mended = threading.Event(), threading.Event()

    def step() -> int:
        if not mended.is_set():
            raise error
        return 0

    monkeypatch.setattr(worker, "do_steps", step)
    monkeypatch.setattr(turns, "_BROKEN_S", 0.05)
    thread = threading.Thread(target=worker.run, args=[stop])
    thread.start()
    try:
        until(lambda: (beat := last_beat(db, "worker")) and beat.detail.get("waiting_for") == words)
        append(db, "unit.claimed", {})
        until(lambda: unread_events(db, NOTIFY).count == 0)
        mended.set()
        until(lambda: last_beat(db, "worker").detail["waiting_for"] is None)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize("trouble", Trouble)
def test_the_api_has_words_for_each_kind(trouble):
    detail, retry_after_s = TROUBLE_TEXTS[trouble]
    assert detail.endswith(".")
    assert retry_after_s >= 1


def test_a_request_that_meets_a_lock_is_told_so_and_when_to_try_again(url, db):
    db.execute(f"ALTER DATABASE {db.info.dbname} SET lock_timeout = '20ms'")
    with site(url, db) as world, connect(url) as other:
        staff = world.as_("support")
        other.execute("BEGIN")
        other.execute("LOCK TABLE alarm")
        answer = staff.client.get("/api/alarms")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["detail"].startswith("Another change has hold of what this one needs")


def test_on_a_full_disk_ingest_names_it_to_readyz_and_goes_on_when_there_is_room():
    """Small rows still find room in their pages: so the sign of life can say what is waited for."""
    grow = "INSERT INTO big SELECT repeat(md5(n::text), 60) FROM generate_series(1, 200) AS n"
    results = []
    with small_disk(90) as disk, EmbeddedPostgres(disk.path / "data", durable=False) as postgres:
        migrate(postgres.url)
        with connect(postgres.url) as db, site(postgres.url, db) as world, ingest(postgres.url) as made:
            db.execute("CREATE TABLE big (filler text)")
            disk.fill()
            thread = threading.Thread(
                target=lambda: results.append(
                    made.writer.keep_trying(lambda: made.writer.connection.execute(grow).rowcount)
                )
            )
            thread.start()
            browser = world.browser()

            def named() -> bool:
                waiting_for = browser.client.get("/readyz").json()["waiting_for"]
                return waiting_for.get("ingest") == "room on the database's disk"

            until(named)
            disk.free()
            thread.join(30)
    assert results == [200]
