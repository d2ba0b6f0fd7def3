"""What waits is named: by `/readyz`, by `gateway check` and by a metric, with who has what is waited for."""

import threading
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from prometheus_client import REGISTRY

from gateway.api import readiness
from gateway.core.clock import system_clock
from gateway.events import append, dead_letters, place_events, probe, read_next
from gateway.roles import check
from gateway.roles.measured import Measured
from gateway.store import Database, Trouble, connect
from gateway.store.beat import beat
from gateway.store.locks import Lock, lock_session
from gateway.store.waits import lock_waits
from tests.dsl.wait import until

pytestmark = pytest.mark.both


@contextmanager
def ingest_waits_for_a_lock(url):
    """A session of ingest's waits for a table that another program has locked; yields that program's session."""
    with connect(url, "backup-tool") as holder, connect(url, "gateway-ingest") as ingest:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE product")
        thread = threading.Thread(target=lambda: ingest.execute("SELECT FROM product"))
        thread.start()
        with connect(url) as watching:
            until(lambda: lock_waits(watching, timedelta()))
        try:
            yield holder.info.backend_pid
        finally:
            holder.execute("ROLLBACK")
            thread.join(20)


@pytest.fixture
def beat_roles(db):
    """Both roles gave a sign of life."""
    for role in ("ingest", "worker"):
        beat(db, role, {"waiting_for": None})


def waiting_for(world) -> dict[str, str]:
    answer = world.browser().client.get("/readyz")
    told = answer.json()
    assert answer.status_code == (503 if told["waiting_for"] else 200)
    return told["waiting_for"]


def test_readyz_names_the_session_that_holds_a_lock_for_long(url, world, beat_roles, monkeypatch):
    with ingest_waits_for_a_lock(url) as holder:
        assert waiting_for(world) == {}, "a lock for a moment is nothing"
        monkeypatch.setattr(readiness, "LOCK_AFTER", timedelta())
        (role,) = told = waiting_for(world)
        assert role == "ingest"
        assert told[role].startswith("a lock, for 0 s, that session")
        assert f"session {holder} (backup-tool, idle in transaction, in a transaction for 0 s) has" in told[role]
    assert waiting_for(world) == {}


def test_readyz_names_events_that_nobody_reads_though_the_worker_gives_signs_of_life(db, world, beat_roles):
    """Notices were held for 17 minutes, and it said that all is well."""
    with db.transaction():
        read_next(db, "notify", 9, {"said"})
    for _ in range(3):
        append(db, "said", {})
    assert waiting_for(world) == {}, "just now is no standing still"
    db.execute("UPDATE event_place SET placed_at = now() - interval '95 s'")
    assert waiting_for(world) == {"worker": "3 unread events, the first of them for 95 s"}
    with db.transaction():
        read_next(db, "notify", 9, {"said"})
    assert waiting_for(world) == {}


def test_readyz_names_a_sequencer_that_cannot_turn(url, db, world, beat_roles):
    db.execute("ALTER FUNCTION event_turn(int) SET lock_timeout = '30ms'")
    append(db, "said", {})
    with connect(url) as stuck:
        lock_session(stuck, Lock.EVENT_TURN)
        assert waiting_for(world) == {"events": Trouble.LOCK.value}
    until(lambda: waiting_for(world) == {})


def test_check_names_a_lock_and_who_has_it(url, monkeypatch):
    monkeypatch.setattr(check, "LOCK_AFTER", timedelta())
    with connect(url) as own, ingest_waits_for_a_lock(url) as holder:
        finding = check.events(own, system_clock)[-1]
    assert (finding.name, finding.state) == ("locks", "warning")
    assert finding.measured.startswith(f"gateway-ingest waits for a lock, for 0 s, that session {holder} (backup-tool")
    with connect(url) as own:
        assert check.events(own, system_clock)[-1].state == "ok"


def test_check_names_what_the_event_log_waits_for(db):
    def findings(day=None, sleep=lambda _: None) -> dict[str, tuple[str, str]]:
        found = probe.probe(db, day or system_clock().date(), sleep)
        return {each.name: (each.state, each.measured) for each in found}

    assert {state for state, _ in findings().values()} == {"ok"}
    append(db, "said", {})
    assert findings(sleep=lambda _: place_events(db))["event places"][0] == "ok", "it had been committed just before"
    append(db, "said", {})
    assert findings()["event places"] == ("warning", "1 events wait for a place and are seen by nobody")
    place_events(db)
    db.execute("UPDATE event_place SET placed_at = now() - interval '95 s'")
    assert findings()["event reader"] == ("warning", "the worker has 2 unread events, the first of them for 95 s")
    with db.transaction():
        for event in read_next(db, "notify", 1, {"said"})[0]:
            dead_letters.keep(db, "notify", event, 1, KeyError("x"), system_clock())
    assert findings()["failed events"] == ("warning", "1 events could not be handled, and are tried again")
    assert findings(date(2200, 1, 1))["event log"][0] == "problem"


def test_the_metrics_have_who_waits_for_a_lock_and_the_failed_events(url, db):
    append(db, "said", {})
    place_events(db)
    with db.transaction():
        for event in read_next(db, "notify", 1, {"said"})[0]:
            dead_letters.keep(db, "notify", event, 1, KeyError("x"), system_clock())
    with Database(url, "test-measured", max_size=1) as database, ingest_waits_for_a_lock(url):
        measured = Measured(database, "notify")
        try:
            found = {family.name: family.samples for family in measured.collect()}
        finally:
            REGISTRY.unregister(measured)
    (sample,) = found["gateway_lock_wait_seconds"]
    assert sample.labels == {"who": "gateway-ingest"}
    assert sample.value > 0
    assert found["gateway_events_failed"][0].value == 1
