"""What is read of the broker and of the database when somebody asks, and what is told when they do not answer."""

import signal
import threading
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from gateway.demo.servers.broker import EmbeddedBroker
from gateway.events import append, place_events
from gateway.m2m.session import Session
from gateway.m2m.watch import dropped, watch
from gateway.roles.measured import Measured
from gateway.roles.process import spawn
from gateway.store import Database
from tests.conftest import MOSQUITTO, require
from tests.dsl.ports import free_port
from tests.dsl.wait import until


@pytest.fixture
def narrow(tmp_path):
    """A Mosquitto that keeps two messages for who is away, and says every second how many it dropped."""
    require(MOSQUITTO, "mosquitto (apt-get install mosquitto)")
    port = free_port()
    config = tmp_path / "narrow.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 2\nsys_interval 1\n")
    process = spawn([str(MOSQUITTO), "-c", str(config)], death_signal=signal.SIGTERM)
    address = ("127.0.0.1", port)
    try:
        until(lambda: dropped(address, None) is not None)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def overfill(address, count=10):
    with Session(address, None, "away", clean=False, expiry_s=60) as reader:
        reader.subscribe("m2m/v1/#")
    with Session(address, None, "writer") as writer:
        writer.publish("m2m/v1/pump/P1/telemetry", count, 10)


def test_what_the_broker_drops_is_told(narrow, caplog):
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(narrow, None, timedelta(milliseconds=100), stop))
    thread.start()
    try:
        until(lambda: REGISTRY.get_sample_value("gateway_broker_dropped_messages") == 0)
        overfill(narrow)
        until(lambda: REGISTRY.get_sample_value("gateway_broker_dropped_messages") == 8)
        until(lambda: "The broker dropped" in caplog.text)
    finally:
        stop.set()
        thread.join(10)
    assert [record.levelname for record in caplog.records if "dropped" in record.message][:1] == ["WARNING"]


def test_a_broker_that_does_not_say_is_no_error(tmp_path):
    with EmbeddedBroker(tmp_path / "broker", port := free_port(), free_port()):
        assert dropped(("127.0.0.1", port), None) is None
    assert dropped(("127.0.0.1", free_port()), None) is None


def test_while_the_database_is_away_only_that_is_measured(url, db):
    with Database(url, "test-measured", max_size=1) as database:
        measured = Measured(database, "notify")
        try:
            before = {family.name for family in measured.collect()}
            assert {"gateway_database_up", "gateway_events_unread", "gateway_outbox_waiting"} <= before
            database.close()
            (told,) = measured.collect()
            assert (told.name, [sample.value for sample in told.samples]) == ("gateway_database_up", [0])
        finally:
            REGISTRY.unregister(measured)


def test_events_that_nobody_handled_are_counted_with_their_age(url, db):
    db.execute(
        "INSERT INTO event (at, kind, actor, data) SELECT now() - '1 s'::interval, 'x', 'test', '{}'"
        " FROM generate_series(1, 3)"
    )
    place_events(db)
    db.execute("UPDATE event_place SET placed_at = now() - '1 min'::interval")
    append(db, "x", {})  # waits for its place: whoever measures gives it
    with Database(url, "test-measured", max_size=1) as database:
        measured = Measured(database, "notify")
        try:
            found = {family.name: family.samples for family in measured.collect()}
        finally:
            REGISTRY.unregister(measured)
    assert found["gateway_events_unread"][0].value == 4
    assert found["gateway_events_unplaced"][0].value == 0
    assert found["gateway_events_failed"][0].value == 0
    assert 60 <= found["gateway_events_lag_seconds"][0].value < 120
