"""What devices say of themselves: the firmware they report is taken over once, and nothing else changes."""

from datetime import UTC, datetime

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from gateway.m2m.session import Session
from gateway.registrations import firmware as firmware_reports
from gateway.registrations.firmware import Report, take_firmware, take_waiting
from gateway.store import connect
from tests.dsl.ingest import CLIENT_ID, running_ingest
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until
from tests.factories import make_fleet


@pytest.fixture
def devices(broker_port):
    with Devices(broker_port) as connected:
        yield connected


@pytest.fixture
def fleet(url):
    make_fleet(url)


def firmware(db, serial="P1"):
    return db.execute("SELECT firmware FROM unit WHERE serial = %s", [serial]).fetchone()["firmware"]


def reports(db):
    """Serial, firmware, and what it was before, of every event."""
    rows = db.execute(
        "SELECT u.serial, e.actor, e.data FROM event e JOIN unit u ON u.id = e.unit_id"
        " WHERE e.kind = 'unit.firmware_reported' ORDER BY e.id"
    ).fetchall()
    assert {row["actor"] for row in rows} <= {"gateway"}
    assert all(row["data"].keys() == {"firmware", "before"} for row in rows)
    return [(row["serial"], row["data"]["before"], row["data"]["firmware"]) for row in rows]


def wait_until_taken(db, devices):
    """Wait until everything sent so far has been taken: readings come behind it on the same road."""
    devices.reading("P3", temp_c=20).flush()
    stored = db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"]
    until(lambda: db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"] > stored)


def test_a_reported_firmware_is_taken_over_and_told_once(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port):
        devices.status("p-1", {"state": "online", "firmware": "2.4.0"}).flush()
        until(lambda: firmware(db) == "2.4.0")
        devices.status("P1", {"state": "online", "firmware": "2.4.0"}).status("P2", {"state": "online"})
        devices.status("P1", {"state": "offline"}).status("P1", b"").flush()
        devices.status("P1", {"state": "online", "firmware": "2.5.0"}).flush()
        until(lambda: firmware(db) == "2.5.0")
    assert reports(db) == [("P1", None, "2.4.0"), ("P1", "2.4.0", "2.5.0")]
    assert firmware(db, "P2") is None
    assert db.execute("SELECT count(*) AS n FROM quarantine").fetchone()["n"] == 0
    shown = db.execute("SELECT topic, reason FROM unit_message").fetchall()
    assert {(row["topic"], row["reason"]) for row in shown} >= {("m2m/v1/pump/P1/status", None)}
    assert all(row["reason"] is None for row in shown)


def test_what_was_retained_before_the_gateway_came_is_heard(url, db, broker_port, devices, fleet):
    devices.status("P1", {"firmware": "1.0"}).status("P1", {"firmware": "1.1"}).status("P2", {"firmware": "7"}).flush()
    with running_ingest(url, broker_port):
        until(lambda: len(reports(db)) == 2)
    assert sorted(reports(db)) == [("P1", None, "1.1"), ("P2", None, "7")]


def test_a_session_that_goes_on_is_not_told_again_what_is_retained(url, db, mosquitto_port, fleet):
    with Devices(mosquitto_port) as devices:
        devices.status("P1", {"firmware": "1.0"}).flush()
        with running_ingest(url, mosquitto_port):
            until(lambda: firmware(db) == "1.0")
        devices.status("P1", {"firmware": "1.1"}).status("P1", {"firmware": "1.2"}).flush()
        for _ in range(3):
            with running_ingest(url, mosquitto_port):
                wait_until_taken(db, devices)
    assert kept_firmwares(db) == ["1.0", "1.1", "1.2"]
    assert reports(db)[-1][2] == "1.2"


def kept_firmwares(db, serial="P1"):
    """The firmware of each kept message of a unit, in the order of arrival."""
    rows = db.execute(
        "SELECT convert_from(payload, 'UTF8')::json ->> 'firmware' AS firmware FROM unit_message m"
        " JOIN unit u ON u.id = m.unit_id WHERE serial = %s ORDER BY number",
        [serial],
    )
    return [row["firmware"] for row in rows]


def test_a_retained_replay_never_overrides_what_was_heard_later(url, db, mosquitto_port, fleet):
    """The broker knows the last retained word only; of P2, who said nothing since, it is news."""
    with Devices(mosquitto_port) as devices:
        devices.status("P1", {"firmware": "2.3.0"}).flush()
        with running_ingest(url, mosquitto_port):
            until(lambda: firmware(db) == "2.3.0")
            devices.status("P1", {"firmware": "2.4.0"}, retain=False).flush()
            until(lambda: firmware(db) == "2.4.0")
        db.execute("UPDATE unit SET firmware = '7.0' WHERE serial = 'P2'")  # as a units file says it
        devices.status("P2", {"firmware": "7.1"}).flush()
        with Session(("127.0.0.1", mosquitto_port), None, CLIENT_ID):
            pass  # a clean one: the broker forgets ours
        with running_ingest(url, mosquitto_port):
            until(lambda: firmware(db, "P2") == "7.1")
            wait_until_taken(db, devices)
    assert kept_firmwares(db) == ["2.3.0", "2.4.0", "2.3.0"], "it came again"
    assert firmware(db) == "2.4.0"
    assert reports(db)[-1] == ("P2", "7.0", "7.1")
    assert len(reports(db)) == 3


def test_every_report_says_when_it_came_and_a_replay_is_not_one(url, db, mosquitto_port, fleet):
    with Devices(mosquitto_port) as devices, running_ingest(url, mosquitto_port):
        devices.status("P1", {"firmware": "1.0"}).flush()
        until(lambda: firmware(db) == "1.0")
        first = reported_at(db)
        devices.status("P1", {"firmware": "1.0"}).flush()
        wait_until_taken(db, devices)
        assert reported_at(db) > first
    assert len(reports(db)) == 1


def reported_at(db, serial="P1"):
    row = db.execute("SELECT firmware_reported_at AS at FROM unit WHERE serial = %s", [serial]).fetchone()
    return row["at"]


def test_a_unit_that_another_transaction_holds_holds_up_nobody_and_its_report_is_not_lost(
    url, db, broker_port, devices
):
    """As a large import does: readings and reports of the others go on, and the held unit follows when it is free."""
    make_fleet(url)
    with running_ingest(url, broker_port), connect(url, "test") as other:
        with other.transaction():
            other.execute("UPDATE unit SET lot = 'L1' WHERE serial = 'P1'")
            devices.status("P1", {"firmware": "1.0"}).status("P1", {"firmware": "1.1"}).status("P2", {"firmware": "2"})
            devices.flush()
            until(lambda: firmware(db, "P2") == "2")
            wait_until_taken(db, devices)
            assert firmware(db) is None
            assert db.execute("SELECT count(*) AS n FROM firmware_waiting").fetchone()["n"] == 1
        until(lambda: firmware(db) == "1.1")
        assert db.execute("SELECT count(*) AS n FROM firmware_waiting").fetchone()["n"] == 0
    assert sorted(after for _, _, after in reports(db)) == ["1.1", "2"]


def test_a_report_that_waits_gives_way_to_a_later_one_and_not_to_a_replay(db, url):
    make_fleet(url)
    units = {row["serial"]: row["id"] for row in db.execute("SELECT id, serial FROM unit")}
    now = datetime.now(UTC)

    def take(serial, version, *, replayed=False):
        with db.transaction():
            take_firmware(db, {units[serial]: Report(version, now, replayed)})

    with connect(url, "test") as other:
        with other.transaction():
            other.execute("SELECT FROM unit WHERE serial IN ('P1', 'P2') FOR UPDATE")
            take("P1", "1.0")
            take("P1", "1.1", replayed=True)
            take("P2", "2.0", replayed=True)
            take("P2", "2.1")
        take("P1", "0.9", replayed=True)
    assert firmware(db) is None, "what is replayed knows that something later waits"
    with db.transaction():
        assert take_waiting(db, 0) == 0
    assert (firmware(db), firmware(db, "P2")) == ("1.0", "2.1")
    assert db.execute("SELECT count(*) AS n FROM firmware_waiting").fetchone()["n"] == 0


def test_waiting_reports_are_looked_at_in_turns_that_go_round(db, url, monkeypatch):
    """A thousand units that stay held must not hide one that is free."""
    monkeypatch.setattr(firmware_reports, "WAITING_REPORTS_PER_TURN", 2)
    make_fleet(url)
    ids = [row["id"] for row in db.execute("SELECT id FROM unit ORDER BY id")]
    with connect(url, "test") as other, other.transaction():
        other.execute("SELECT 1 FROM unit FOR UPDATE")
        take_firmware(db, {unit_id: Report("1.0", datetime.now(UTC), replayed=False) for unit_id in ids})
    with connect(url, "test") as other, other.transaction():
        other.execute("SELECT 1 FROM unit WHERE serial IN ('P1', 'P2') FOR UPDATE")
        assert take_waiting(db, 0) == ids[1]
        assert take_waiting(db, ids[1]) == 0
        assert [firmware(db, serial) for serial in ("P1", "P2", "P3")] == [None, None, "1.0"]


def test_a_downgrade_is_a_report_like_any_other(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port):
        for version in ("2.0", "2.1", "2.0"):
            devices.status("P1", {"firmware": version}).flush()
            until(lambda: firmware(db) == version)  # noqa: B023 - asked at once
    assert [after for _, _, after in reports(db)] == ["2.0", "2.1", "2.0"]


def test_poison_on_the_status_topic_is_quarantined_and_never_blocks(url, db, broker_port, devices, fleet):
    poison = {
        "bad_json": b"online",
        "bad_shape": ["online"],
        "bad_firmware": {"firmware": "2.4\n"},
        "too_large": b" " * 3000,
    }
    with running_ingest(url, broker_port, payload_max_bytes=2000):
        for payload in poison.values():
            devices.status("P1", payload, retain=False)
        devices.status("P9", {"firmware": "1"}, retain=False)
        devices.status("P1", {"firmware": "1"}, product="teapot", retain=False)
        devices.status("P1", {"firmware": "1.0"}).flush()
        until(lambda: firmware(db) == "1.0")
    kept = db.execute("SELECT reason, detail FROM quarantine ORDER BY id").fetchall()
    assert [row["reason"] for row in kept] == [*poison, "unknown_unit", "unknown_product"]
    assert all(row["detail"] for row in kept)


def test_a_firmware_that_the_database_refuses_takes_nothing_with_it(url, db, broker_port, devices, fleet):
    db.execute("ALTER TABLE unit ADD CHECK (firmware <> 'bad')")
    with running_ingest(url, broker_port):
        for number in range(20):
            devices.reading("P2", temp_c=number)
            if number == 7:
                devices.status("P1", {"firmware": "bad"}, retain=False)
        devices.status("P3", {"firmware": "good"}, retain=False).flush()
        until(lambda: firmware(db, "P3") == "good")
        until(lambda: db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"] == 20)
    assert [row["reason"] for row in db.execute("SELECT reason FROM quarantine")] == ["refused_by_store"]
    assert reports(db) == [("P3", None, "good")]


def test_a_device_that_speaks_mqtt_3_is_heard_too(url, db, mosquitto_port, fleet):
    with (
        Devices(mosquitto_port, MQTTProtocolVersion.MQTTv311) as devices,
        running_ingest(url, mosquitto_port),
    ):
        devices.status("P1", {"state": "online", "firmware": "3.1.1"}).flush()
        until(lambda: firmware(db) == "3.1.1")


def test_retained_readings_are_still_not_asked_for(url, db, mosquitto_port, fleet):
    with Devices(mosquitto_port) as devices:
        devices.send("P1", {"values": {"temp_c": 99}}, retain=True)
        devices.status("P1", {"firmware": "1.0"}).flush()
        with running_ingest(url, mosquitto_port):
            until(lambda: firmware(db) == "1.0")
            wait_until_taken(db, devices)
    assert [row["value"] for row in db.execute("SELECT value FROM telemetry")] == [20.0]
