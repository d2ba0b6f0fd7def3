"""What ingest does between two batches, step by step: retries, refusals, and a connection that lost its place."""

import logging
import threading
import time

import pytest

from gateway.ingest import ingest as role
from gateway.ingest import judging, quarantine
from gateway.ingest.quarantine import Choice
from gateway.ingest.writer import Writer
from gateway.readings.repository import queries
from gateway.store import IntegrityError, OperationalError, connect
from gateway.store.locks import Lock
from tests.dsl.catalog import RuleFault, alarms, stored
from tests.dsl.stepped import SteppedIngest
from tests.dsl.wait import until
from tests.factories import PUMP


def count(db, table: str) -> int:
    return db.execute(f"SELECT count(*) AS n FROM {table}").fetchone()["n"]


def refuse(db, stepped: SteppedIngest, *serials: str) -> None:
    """Put messages of units that are not here into quarantine, then bring the units in and ask for another try."""
    for nth, serial in enumerate(serials):
        stepped.send("pump", serial, (time.time() - 60 + nth, {"temp_c": 20.0 + nth}))
    assert count(db, "quarantine") == len(serials)
    db.execute(
        "INSERT INTO unit (public_id, product_id, serial, printed) SELECT 'x' || s, p.id, s, s"
        " FROM product p, unnest(%s::text[]) AS s WHERE p.code = 'pump'",
        [list(serials)],
    )
    quarantine.ask_retry(db, Choice(), "test")


def test_what_is_tried_again_in_several_batches_is_taken_once(url, db, maker, ingest, monkeypatch):
    """Housekeeping falls due between its batches, and must not fetch the same messages again."""
    ingest.kill()  # only one at a time has the place
    small = SteppedIngest(url, batch_max_readings=2)
    refuse(db, small, *"ABCDEF")
    monkeypatch.setattr(role, "HOUSEKEEPING_S", 0.0)
    small.ingest.next_housekeeping = 0.0
    small.ingest.keep_house()
    assert count(db, "quarantine") == 0
    assert sorted(value for _, value in stored(db)) == [20.0 + nth for nth in range(6)]
    retried = db.execute("SELECT (data->>'taken')::int AS n FROM event WHERE kind = 'quarantine.retried' ORDER BY id")
    assert [row["n"] for row in retried] == [2, 2, 2]
    small.kill()


def test_a_message_that_not_even_quarantine_takes_ends_the_role_at_once(ingest, monkeypatch):
    """It would be divided and tried without end; a fresh start may find the cause mended."""
    tries = []

    def refuse_all(*_args, **_kwargs):
        tries.append(1)
        raise IntegrityError("no partition of relation")

    monkeypatch.setattr(quarantine, "quarantine", refuse_all)
    with pytest.raises(IntegrityError, match="no partition"):
        ingest.send("pump", "1", (time.time(), {"temp_c": 20}))
    assert len(tries) == 2


def test_a_process_that_was_stopped_while_it_waited_for_the_place_does_nothing_over_its_connection(url, caplog):
    caplog.set_level(logging.INFO)
    first, second = Writer(url, lambda: 0), Writer(url, lambda: 0)
    assert first.open()
    opened = []
    waiting = threading.Thread(target=lambda: opened.append(second.open()))
    waiting.start()
    until(lambda: "waiting for its place" in caplog.text)
    second.stop.set()
    waiting.join(20)
    assert opened == [False]
    assert second.connection.closed
    assert second.keep_trying(lambda: "done") is None
    first.connection.close()


def test_a_product_whose_last_step_was_committed_without_an_answer_keeps_what_its_rules_know(
    maker, db, ingest, monkeypatch
):
    fault = RuleFault(monkeypatch)
    ingest.send("pump", "1", (time.time() - 9, {"temp_c": 95}))
    fault.in_judging(99.0)
    ingest.send("pump", "2", (time.time() - 5, {"temp_c": 99}))
    fault.on = False
    maker.products(PUMP | {"brand": "Other"})
    resume = judging.Judging.resume
    lost = []

    def lose_the_answer(self, *resumed) -> None:
        if not lost:
            lost.append(1)
            raise OperationalError("the connection is gone")
        resume(self, *resumed)

    monkeypatch.setattr(judging.Judging, "resume", lose_the_answer)
    for _ in range(4):
        ingest.ingest.writer.keep_trying(ingest.ingest.housekeeping)
    assert lost
    assert ingest.suspended == set()
    assert [active for _, _, active, _ in alarms(db)] == [True, True]
    for serial in ("1", "2"):
        ingest.send("pump", serial, (time.time(), {"temp_c": 20}))
    assert [active for _, _, active, _ in alarms(db)] == [False, False], "what was active is known, and clears"


def test_a_reading_that_contradicts_what_has_just_been_moved_to_its_day_is_told(db):
    """Between finding its day without room and comparing, another transaction may have made the day."""
    db.execute("SELECT telemetry_make_day('2026-06-01')")
    at = "2026-06-01T12:00:00Z"
    db.execute("INSERT INTO telemetry VALUES (%s, 7, 3, 1.0, now(), true)", [at])
    with db.transaction():
        db.execute(queries.stage)
        db.execute(
            "INSERT INTO staged (place, time, unit_id, metric_id, value, received_at, late, waits)"
            " VALUES (1, %s, 7, 3, 2.0, now(), true, true)",
            [at],
        )
        assert db.execute(queries.mark_conflicting_waiting).rowcount == 1


def test_the_place_is_free_again_for_who_waits_for_it(url):
    first, second = Writer(url, lambda: 0), Writer(url, lambda: 0)
    assert first.open()
    first.connection.close()
    assert second.open()
    with connect(url) as watching:
        held = watching.execute(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", [Lock.INGEST]
        ).rowcount
    assert held == 1
    second.connection.close()
