"""Receipts: what a device is told is committed, and it is told in the end, whatever the broker forgets."""

import itertools
import random
import threading
import time
from contextlib import ExitStack

import pytest
from prometheus_client import REGISTRY

from gateway.cli.receipts import reset
from gateway.core.errors import BadInput, NotFound
from gateway.ingest.quarantine import Choice, ask_retry
from gateway.m2m.receipts import Receipts
from gateway.m2m.session import Refused, Session
from gateway.registrations.model import UnitRow
from gateway.registrations.service import import_product
from gateway.store import connect
from tests.dsl.ingest import running_ingest
from tests.dsl.mosquitto import GATEWAY, deployed_broker, running, set_password
from tests.dsl.mqtt import Devices
from tests.dsl.ports import free_port
from tests.dsl.receipts import Listener
from tests.dsl.wait import until
from tests.factories import make_fleet, product
from tests.factories.imports import import_units


@pytest.fixture
def devices(broker_port):
    with Devices(broker_port) as connected:
        yield connected


@pytest.fixture
def fleet(url):
    make_fleet(url, receipts=True)


START = time.time() - 10_000


def send_numbered(devices, serial, *numbers, boot=None, **more):
    """Messages with these numbers, each with a time and a value of its own."""
    own = {} if boot is None else {"boot": boot}
    for seq in numbers:
        stamp = {"ts": round((START + seq) * 1000), "values": {"temp_c": seq % 100}}
        devices.send(serial, own | {"seq": seq} | stamp | more)
    devices.flush()


def count(db, table="telemetry"):
    return db.execute(f"SELECT count(*) AS n FROM {table}").fetchone()["n"]


FAN = "m2m/v1/fan/F1/receipt"


@pytest.fixture
def fan_product(url):
    """Another product, with receipts, and its one unit."""
    with connect(url, "test") as connection, connection.transaction():
        import_product(connection, product(code="fan", receipts=True), actor="test")
        import_units(connection, {2: UnitRow(product="fan", serial="F1")}, actor="test")


def tell_fan(devices, heard, seq):
    """Let the fan send this number, and wait until it is told: what was to be told before it is told, too."""
    devices.send("F1", {"seq": seq, "values": {"temp_c": 1}}, product="fan").flush()
    until(lambda: (FAN, seq) in [(each.topic, each.upto) for each in heard.came])


def counted_ranges(db):
    """The ranges kept of the one unit that sent."""
    (row,) = db.execute("SELECT taken::text FROM receipt").fetchall()
    return row["taken"]


def test_a_unit_is_told_up_to_where_all_is_stored(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1, 2, 3)
        send_numbered(devices, "P2", 1, boot=7)
        until(lambda: heard.last("P1") == (0, 3))
        until(lambda: heard.last("P2") == (7, 1))
        assert heard.last("P3") is None
    with Listener(broker_port) as later:
        until(lambda: later.last("P1") == (0, 3) and later.last("P2") == (7, 1))
        assert all(each.retained for each in later.came)


def test_a_gap_holds_the_receipt_back_and_closes_in_any_order(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1, 2, 5, 4, 7)
        until(lambda: heard.last("P1") == (0, 2))
        assert counted_ranges(db) == "{[1,3),[4,6),[7,8)}"
        send_numbered(devices, "P1", 6)
        until(lambda: count(db) == 6)
        send_numbered(devices, "P1", 3)
        until(lambda: heard.last("P1") == (0, 7))
        numbers = random.Random(5).sample(range(8, 300), 292)
        send_numbered(devices, "P1", *numbers)
        until(lambda: heard.last("P1") == (0, 299))
    uptos = [each.upto for each in heard.came]
    assert uptos == sorted(uptos)
    assert counted_ranges(db) == "{[1,300)}"


def test_a_device_gives_up_and_begins_anew(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 10, **{"from": 10})
        until(lambda: heard.last("P1") == (0, 10))
        send_numbered(devices, "P1", 2, boot=1)
        until(lambda: heard.last("P1") == (1, 0))
        send_numbered(devices, "P1", 11)  # of the boot before: stored, and no more
        send_numbered(devices, "P1", 1, boot=1)
        until(lambda: heard.last("P1") == (1, 2))
        until(lambda: count(db) == 4)
    assert counted_ranges(db) == "{[1,3)}"


def test_it_is_told_only_after_the_commit(url, db, broker_port, devices, fleet):
    """While the readings cannot be written, nothing may be told; a second connection holds the table."""
    with running_ingest(url, broker_port) as ingest, Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1)
        until(lambda: heard.last("P1") == (0, 1))
        with db.transaction():
            db.execute("LOCK TABLE telemetry IN SHARE MODE")
            send_numbered(devices, "P1", 2, 3)
            until(lambda: db.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount, what="it cannot commit")
            behind = [(0, "m2m/v1/pump/P0/telemetry", (0, 1, 1))]
            ingest.receipts.committed(ingest.receipts.count(behind))
            until(lambda: heard.last("P0") == (0, 1))
            assert heard.last("P1") == (0, 1)
        until(lambda: heard.last("P1") == (0, 3))
    assert count(db) == 3


def test_what_is_refused_with_its_number_is_covered_and_what_has_none_is_not(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        devices.send("P1", {"seq": 1, "values": {"temp_c": 9_999}}).send("P1", {"seq": 2, "values": {"colour": 1}})
        devices.send("P1", {"seq": 3}).send("P1", {"seq": 0, "values": {"temp_c": 1}}).send("P1", b'{"seq": 4, ')
        devices.send("P1", {"values": {"temp_c": 20}})
        send_numbered(devices, "P1", 6)
        until(lambda: heard.last("P1") == (0, 3))
        until(lambda: count(db) == 2)
    reasons = [row["reason"] for row in db.execute("SELECT reason FROM quarantine ORDER BY id")]
    assert reasons == ["out_of_range", "unknown_metric", "bad_shape", "bad_seq", "bad_json"]


def test_what_the_database_refuses_stands_in_quarantine_and_is_covered(url, db, broker_port, devices, fleet):
    db.execute("ALTER TABLE telemetry ADD CHECK (value <> 66)")
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", *range(60, 75), **{"from": 60})
        until(lambda: heard.last("P1") == (0, 74))
    assert count(db) == 14
    assert [row["reason"] for row in db.execute("SELECT reason FROM quarantine")] == ["refused_by_store"]


def test_who_sends_again_what_is_stored_is_told_again_and_nothing_is_stored_twice(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1, 2)
        until(lambda: heard.last("P1") == (0, 2))
        told = len(heard.came)
        send_numbered(devices, "P1", 1, 2)
        until(lambda: len(heard.came) > told)
    assert heard.last("P1") == (0, 2)
    assert (count(db), count(db, "conflicting_reading")) == (2, 0)


def test_the_serial_is_written_as_the_device_writes_it(url, db, broker_port, devices, fleet):
    """Its ACL lets it read nothing else."""
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "p-1", 1)
        until(lambda: heard.last("p-1") == (0, 1))
    assert heard.last("P1") is None


def test_what_is_taken_at_another_try_is_covered_then(url, db, broker_port, devices, fleet):
    """A unit that nobody knew has no receipt."""
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P9", 1, 2)
        until(lambda: count(db, "quarantine") == 2)
        make_fleet(url, serials=("P9",), receipts=True)
        with db.transaction():
            ask_retry(db, Choice(), "test")
        until(lambda: heard.last("P9") == (0, 2))
    assert (count(db), count(db, "quarantine")) == (2, 0)


def test_behind_too_many_gaps_nothing_is_counted_until_it_comes_again(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port, receipt_gaps_max=2), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1, 3, 5, 7, 9)
        until(lambda: count(db) == 5)
        assert counted_ranges(db) == "{[1,2),[3,4),[5,6)}"
        send_numbered(devices, "P1", 2, 4, 6, 8)
        until(lambda: heard.last("P1") == (0, 6))
        send_numbered(devices, "P1", 7, 8, 9)
        until(lambda: heard.last("P1") == (0, 9))
    assert count(db) == 9


def test_receipts_are_collected_to_one_a_second_for_each_unit(url, db, broker_port, devices, fleet, monkeypatch):
    """The second passes when the test says so."""
    waits, passed = [], threading.Semaphore(0)

    def wait(_session, seconds, stop):
        waits.append(seconds)
        until(lambda: stop.is_set() or passed.acquire(blocking=False))

    monkeypatch.setattr(Session, "wait", wait)
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1)
        until(lambda: heard.last("P1") == (0, 1))
        for seq in range(2, 12):
            send_numbered(devices, "P1", seq)
            until(lambda: count(db) == seq)  # noqa: B023 - asked at once
        passed.release()
        until(lambda: heard.last("P1") == (0, 11))
        assert [each.upto for each in heard.came] == [1, 11]
    assert set(waits) == {1.0}


def test_more_units_than_go_out_in_a_second_are_all_told(url, db, mosquitto_port):
    serials = [f"P{number}" for number in range(40)]
    make_fleet(url, serials, owners={}, receipts=True)
    before = REGISTRY.get_sample_value("gateway_receipts_published_total")
    with (
        running_ingest(url, mosquitto_port, receipts_per_second=15),
        Devices(mosquitto_port) as devices,
        Listener(mosquitto_port) as heard,
    ):
        for serial in serials:
            devices.send(serial, {"seq": 1, "values": {"temp_c": 1}})
        devices.flush()
        until(lambda: count(db) == 40)
        until(lambda: REGISTRY.get_sample_value("gateway_receipts_waiting") > 0)
        until(lambda: all(heard.last(serial) == (0, 1) for serial in serials))
        until(lambda: REGISTRY.get_sample_value("gateway_receipts_waiting") == 0)
        assert len(heard.came) == 40
        assert REGISTRY.get_sample_value("gateway_receipts_published_total") - before == 40


def test_who_waits_behind_units_that_never_rest_is_told_all_the_same(mosquitto_port):
    """500 go out in a second here, and 500 have news without a pause, also while theirs goes out."""
    receipts = Receipts(("127.0.0.1", mosquitto_port), None, 500, 100)

    def say(unit_id, seq):
        receipts.committed(receipts.count([(unit_id, f"m2m/v1/pump/P{unit_id}/telemetry", (0, seq, 1))]))

    stop, numbers = threading.Event(), itertools.count(2)
    publisher = threading.Thread(target=receipts.run, args=[stop])

    def told():
        seq = next(numbers)
        for unit_id in range(500):
            say(unit_id, seq)
        return heard.last("P500")

    with Listener(mosquitto_port) as heard:
        for unit_id in range(501):
            say(unit_id, 1)
        publisher.start()
        try:
            assert until(told, every=0) == (0, 1)
        finally:
            stop.set()
            publisher.join()


def test_stopping_sends_what_waits(url, db, broker_port, devices, fleet):
    with Listener(broker_port) as heard:
        with running_ingest(url, broker_port):
            send_numbered(devices, "P1", 1)
            until(lambda: heard.last("P1") == (0, 1))
            send_numbered(devices, "P1", 2, 3)  # within the second of rest
            until(lambda: count(db) == 3)
        until(lambda: heard.last("P1") == (0, 3), within=2)


def test_a_product_without_receipts_gets_none_and_its_numbers_are_any_other_field(
    url, db, broker_port, devices, fan_product
):
    make_fleet(url)
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1, 2)
        devices.send("P1", {"seq": "?", "boot": -1, "values": {"temp_c": 1}}).flush()
        until(lambda: count(db) == 3)
        tell_fan(devices, heard, 1)
        assert [each.topic for each in heard.came] == [FAN]
    assert (count(db, "quarantine"), count(db, "receipt")) == (0, 1)


def test_receipts_begin_and_end_with_the_products_file(url, db, broker_port, devices, fan_product):
    make_fleet(url)
    numbers = itertools.count(1)
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        send_numbered(devices, "P1", 1)
        until(lambda: count(db) == 1)
        with db.transaction():
            assert import_product(db, product(receipts=True), actor="test")

        def told():
            send_numbered(devices, "P1", 1, 2)  # the first was not counted; the device still holds it
            return heard.last("P1") == (0, 2)

        until(told, every=0.3)
        with db.transaction():
            assert import_product(db, product(), actor="test")

        def untold():
            before = pump_receipts(heard)
            send_numbered(devices, "P1", 3)
            tell_fan(devices, heard, next(numbers))
            return pump_receipts(heard) == before

        until(untold)
    with running_ingest(url, broker_port), Listener(broker_port) as heard:
        tell_fan(devices, heard, next(numbers))
        assert [each.retained for each in pump_receipts(heard)] == [True]


def pump_receipts(heard):
    return [each for each in heard.came if each.topic != FAN]


@pytest.mark.parametrize("still", [True, False])
def test_without_a_broker_stopping_waits_for_nobody(still):
    """Also where the product gave its receipts up while one waited."""
    receipts = Receipts(("127.0.0.1", free_port()), None, 10, 10)
    counted = receipts.count([(1, "m2m/v1/pump/P1/telemetry", (0, 1, 1))])
    receipts.committed(counted)
    receipts.load(counted if still else {})
    stop = threading.Event()
    thread = threading.Thread(target=receipts.run, args=[stop])
    thread.start()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert REGISTRY.get_sample_value("gateway_receipts_waiting") == still


def test_a_broker_that_lost_its_retained_messages_gets_them_again(url, db, tmp_path, fleet):
    """It ends by kill -9 and begins with nothing, while the gateway goes on."""
    port = free_port()
    config = f"listener {port} 127.0.0.1\nallow_anonymous true\n"
    with ExitStack() as stack:
        with running(tmp_path, config, port) as broker:
            stack.enter_context(running_ingest(url, port))
            with Devices(port) as devices, Listener(port) as heard:
                send_numbered(devices, "P1", 1, 2)
                send_numbered(devices, "P2", 1)
                until(lambda: heard.last("P1") == (0, 2) and heard.last("P2") == (0, 1))
            broker.kill()
        stack.enter_context(running(tmp_path, config, port))
        heard = stack.enter_context(Listener(port))
        until(lambda: heard.last("P1") == (0, 2) and heard.last("P2") == (0, 1), within=30)


def test_the_intake_goes_on_while_the_broker_refuses_receipts_and_they_go_out_when_it_does_not(
    url, db, tmp_path, fleet, caplog
):
    set_password(tmp_path, *GATEWAY)
    acl = tmp_path / "acl"
    all_but_ours = "topic readwrite m2m/v1/+/+/telemetry\ntopic read m2m/v1/+/+/status\ntopic read m2m/v1/+/+/receipt\n"
    acl.write_text(all_but_ours)
    port = free_port()
    config = f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\n"
    config += f"password_file {tmp_path}/passwords\nacl_file {acl}\n"
    with (
        running(tmp_path, config, port) as broker,
        running_ingest(url, port),
        Devices(port) as devices,
        Listener(port) as heard,
    ):
        send_numbered(devices, "P1", 1, 2)
        until(lambda: "The broker does not take receipts (Not authorized)" in caplog.text)
        send_numbered(devices, "P1", 3)
        until(lambda: count(db) == 3)
        assert heard.came == []
        assert REGISTRY.get_sample_value("gateway_receipts_waiting") == 1
        acl.write_text(all_but_ours + "topic write m2m/v1/+/+/receipt\n")
        broker.reload()
        until(lambda: heard.last("P1") == (0, 3))


def test_deploys_acl_lets_us_publish_and_a_device_read_its_own_receipt_and_no_other(url, db, tmp_path, fleet):
    pump, nosy = ("pump/P1", "one"), ("pump/P2", "two")
    for user in (pump, nosy):
        set_password(tmp_path, *user)
    with deployed_broker(tmp_path) as port:
        with running_ingest(url, port, credentials=GATEWAY), Session(("127.0.0.1", port), pump, "P1") as device:
            device.retain([("m2m/v1/pump/P1/telemetry", b'{"seq": 1, "values": {"temp_c": 20}}')], 10)
            device.subscribe("m2m/v1/pump/P1/receipt")
            assert device.collect(1, 10) == 1
            assert device.last_payload == b'{"boot":0,"upto":1}'
        with Session(("127.0.0.1", port), nosy, "P2") as other:
            other.subscribe("m2m/v1/pump/P1/receipt")
            assert other.collect(1, 2) == 0
            with pytest.raises(Refused):  # Mosquitto 2.0.11 without a queue limit also closes the connection
                other.retain([("m2m/v1/pump/P2/receipt", b'{"boot": 0, "upto": 99}')], 10)


def test_a_boot_that_no_device_reaches_is_refused_and_the_next_honest_one_is_told(url, db, mosquitto_port, fleet):
    with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices, Listener(mosquitto_port) as heard:
        send_numbered(devices, "P1", 1, boot=9_007_199_254_740_991)
        send_numbered(devices, "P1", 1, 2, boot=5)
        until(lambda: heard.last("P1") == (5, 2))
        send_numbered(devices, "P1", 1, boot=6)
        until(lambda: heard.last("P1") == (6, 1))
    refused = db.execute("SELECT reason, detail FROM quarantine").fetchone()
    assert refused["reason"] == "bad_seq"
    assert "a count of starts" in refused["detail"]


def test_an_operator_has_a_unit_counted_anew(url, db, mosquitto_port, fleet):
    with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices, Listener(mosquitto_port) as heard:
        send_numbered(devices, "P1", 1, boot=900)
        until(lambda: heard.last("P1") == (900, 1))
        send_numbered(devices, "P1", 1, boot=5)
        assert reset(url, "pump/P-1")[0] == "Ingest forgets boot 900 of pump/P1 within a second."
        until(lambda: not count(db, "receipt"))
        send_numbered(devices, "P1", 1, 2, boot=5)
        until(lambda: heard.last("P1") == (5, 2))
    event = db.execute("SELECT data, actor FROM event WHERE kind = 'receipt.reset_asked'").fetchone()
    assert event == {"data": {"boot": 900}, "actor": "cli"}
    assert reset(url, "pump/P2") == ["Nothing was counted of pump/P2 yet."]
    with pytest.raises(NotFound, match="no unit pump/P9"):
        reset(url, "pump/P9")
    with pytest.raises(BadInput, match="PRODUCT/SERIAL"):
        reset(url, "pump")
