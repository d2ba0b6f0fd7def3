"""One device costs the others nothing: a share of the quarantine, of contradictions, of memory, and short topics."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.core.clock import to_us
from gateway.ingest import quarantine
from gateway.ingest.repository import queries as ingest
from gateway.m2m.message import Message, Rejected
from gateway.readings import conflicting
from gateway.readings.repository import CONFLICTS_PER_UNIT
from gateway.store import connect
from gateway.store import migrate as migrations
from tests.dsl.ingest import running_ingest
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until
from tests.factories import make_fleet

NOW = datetime.now(UTC)
NOW_MS = to_us(NOW) // 1000
NO = Rejected("bad_json", "no")


@pytest.fixture
def devices(mosquitto_port):
    with Devices(mosquitto_port) as connected:
        yield connected


def count(db, what):
    return db.execute(f"SELECT count(*) AS n FROM {what}").fetchone()["n"]


def by_sender(db):
    """How many are here of each, and the newest payload."""
    rows = db.execute("SELECT sender, count(*) AS n FROM quarantine GROUP BY sender ORDER BY sender")
    return {row["sender"]: row["n"] for row in rows}


def refused(serial: str, numbers: range, topic: str = "m2m/v1/pump/{}/telemetry") -> list[tuple[Message, Rejected]]:
    return [
        (Message(topic.format(serial), str(number).encode(), 1, 1, False, to_us(NOW) + number), NO)
        for number in numbers
    ]


# -- Quarantine --------------------------------------------------------------------------------------------------


def test_a_flood_of_one_unit_pushes_nobody_else_out(url, db, mosquitto_port, devices):
    """However it writes its serial; what is not kept of it is counted."""
    make_fleet(url)
    with running_ingest(
        url, mosquitto_port, quarantine_max_messages=60, quarantine_per_unit=20, batch_max_messages=100
    ):
        for serial in ("P2", "P3"):
            for number in range(3):
                devices.send(serial, b"{%d" % number)
        for number in range(3_000):
            devices.send(("P1", "P-1", "p1", "P--1")[number % 4], b"{%d" % number)
        devices.reading("P3", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
    assert by_sender(db) == {"pump/P1": 20, "pump/P2": 3, "pump/P3": 3}
    newest = db.execute("SELECT payload FROM quarantine WHERE sender = 'pump/P1' ORDER BY id").fetchall()
    assert [row["payload"] for row in newest] == [b"{%d" % number for number in range(2_980, 3_000)]
    (all_of_them,) = quarantine.counts(db)
    assert (all_of_them["messages"], all_of_them["here"], all_of_them["trimmed"]) == (3_006, 26, 2_980)
    (most, *_) = quarantine.senders(db, 10)
    assert (most["sender"], most["reason"], most["messages"]) == ("pump/P1", "bad_json", 3_000)


def test_what_is_beyond_the_share_of_a_batch_is_not_even_written(db):
    with db.transaction():
        assert quarantine.quarantine(db, refused("P1", range(5_000)), 100) == 100
    with db.transaction():
        assert quarantine.quarantine(db, refused("P1", range(5_000, 5_040)), 100) == 40
    written = db.execute("SELECT max(id) AS last, min(payload::text) AS first FROM quarantine").fetchone()
    assert written["last"] == 140
    assert by_sender(db) == {"pump/P1": 100}
    assert quarantine.counts(db)[0]["messages"] == 5_040
    assert quarantine.senders(db, 1)[0]["unkept"] == 4_900


def test_without_room_for_all_those_lose_first_who_have_most(db):
    with db.transaction():
        quarantine.quarantine(
            db, refused("P2", range(3)) + refused("P1", range(3, 80)) + refused("P3", range(80, 90)), 100
        )
    assert quarantine.trim(db, 20) == 70
    assert by_sender(db) == {"pump/P1": 8, "pump/P2": 3, "pump/P3": 9}
    assert quarantine.trim(db, 20) == 0


def test_topics_of_no_device_have_one_share_together(db):
    with db.transaction():
        for number in range(120):
            quarantine.quarantine(db, refused(f"x{number}", range(1), "other/{}/thing"), 100)
        quarantine.quarantine(db, refused("P1", range(2)), 100)
    assert by_sender(db) == {"": 100, "pump/P1": 2}


def test_a_refused_batch_looks_at_its_own_senders_and_not_at_the_whole_quarantine(db):
    db.execute(
        "INSERT INTO quarantine (received_at, sender, topic, reason, detail, payload, size)"
        " SELECT now(), 'pump/Q' || n / 100, 't', 'bad_json', 'no', '{', 1 FROM generate_series(1, 10000) n"
    )
    db.execute("ANALYZE quarantine")
    tally = {"senders": ["pump/Q7"], "reasons": ["bad_json"], "messages": [1], "unkept": [0], "last": [to_us(NOW)]}
    plan = db.execute("EXPLAIN " + ingest.trim_senders.as_string(), tally | {"share": 100}).fetchall()
    lines = [row["QUERY PLAN"] for row in plan]
    assert any("quarantine_sender_id" in line for line in lines)
    assert not [line for line in lines if "Seq Scan on quarantine" in line]


def test_the_counts_of_senders_are_bounded(db, monkeypatch):
    monkeypatch.setattr(quarantine, "SENDERS_MAX", 50)
    with db.transaction():
        for number in range(80):
            quarantine.quarantine(db, refused(f"Q{number}", range(number, number + 1)), 100)
    quarantine.trim(db, 1_000)
    assert count(db, "quarantine_sender") == 50
    assert not db.execute("SELECT 1 FROM quarantine_sender WHERE sender = 'pump/Q0'").fetchone(), "the longest quiet"


@pytest.mark.parametrize("serial", ["P1" + "-" * 60_000, "P1" + "-" * 200])
def test_a_padded_topic_is_refused_and_kept_cut(url, db, world, mosquitto_port, devices, serial):
    make_fleet(url)
    with running_ingest(url, mosquitto_port):
        for number in range(20):
            devices.send(serial, {"values": {"temp_c": number}})
        devices.reading("P1", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
    kept = db.execute("SELECT reason, length(topic) AS length FROM quarantine").fetchall()
    assert {(row["reason"], row["length"]) for row in kept} == {("bad_topic", min(256, len(serial) + 22))}
    assert count(db, "unit_message") == 1
    page = world.as_("support").get("/api/quarantine")
    assert len(page.json()["messages"]) == 20
    assert len(page.content) < 20 * 1_000


# -- Contradictions ----------------------------------------------------------------------------------------------


def contradicting(devices, serial: str, readings: int, value: float) -> None:
    devices.send(serial, [{"ts": NOW_MS - n, "values": {"temp_c": value}} for n in range(readings)])


def conflicts(db):
    rows = db.execute(
        "SELECT u.serial, count(*) AS here, max(n.readings) AS ever FROM conflicting_count n"
        " JOIN unit u ON u.id = n.unit_id LEFT JOIN conflicting_reading c ON c.unit_id = n.unit_id GROUP BY 1"
    )
    return {row["serial"]: (row["here"], row["ever"]) for row in rows}


def test_contradictions_of_a_unit_are_bounded_counted_and_forgotten_in_time(url, db, mosquitto_port, devices):
    make_fleet(url)
    with running_ingest(url, mosquitto_port):
        for value in range(6):
            contradicting(devices, "P1", 700, value)
        devices.reading("P2", NOW_MS / 1000, temp_c=1).reading("P2", NOW_MS / 1000, temp_c=2)
        devices.reading("P3", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 702)
    assert conflicts(db) == {"P1": (CONFLICTS_PER_UNIT, 3_500), "P2": (1, 1)}
    told = db.execute(
        "SELECT unit_id, number, reason, conflicting FROM unit_message ORDER BY unit_id, number"
    ).fetchall()
    assert [row["conflicting"] for row in told][-3:] == [0, 1, 0], "the second message of P2 was not taken"
    assert conflicting.trim(db, NOW - timedelta(days=400)) == CONFLICTS_PER_UNIT // 2
    assert conflicts(db) == {"P1": (CONFLICTS_PER_UNIT // 2, 3_500), "P2": (1, 1)}
    assert conflicting.trim(db, NOW - timedelta(days=400)) == 0, "one with room keeps all"
    assert conflicting.trim(db, NOW + timedelta(days=1)) == CONFLICTS_PER_UNIT // 2 + 1
    assert count(db, "conflicting_reading") == 0
    assert count(db, "conflicting_count WHERE readings > 0") == 2


# -- Memory ------------------------------------------------------------------------------------------------------


def test_while_nothing_is_committed_reading_stops_at_the_bytes(url, db, mosquitto_port, devices):
    make_fleet(url)
    padded = b'{"values": {"temp_c": 20}}' + b" " * 60_000
    with (
        running_ingest(url, mosquitto_port, queue_max_bytes=400_000, batch_max_bytes=150_000) as ingest,
        connect(url, "test") as other,
    ):
        with other.transaction():
            other.execute("LOCK TABLE ingest_journal IN EXCLUSIVE MODE")
            for _ in range(60):
                devices.send("P1", padded)
            devices.flush()  # the broker has them all
            until(lambda: ingest.inbox.full)
            assert len(ingest.inbox) * len(padded) < 400_000 + len(padded)
        until(lambda: count(db, "telemetry") == 60)
        assert ingest.inbox.bytes == 0
    batches = db.execute("SELECT octet_length(messages) / 10 AS n FROM ingest_journal").fetchall()
    assert max(row["n"] for row in batches) == 2, "150,000 bytes are two of them"


def test_many_readings_are_several_batches_and_each_is_stored_once(url, db, mosquitto_port, devices):
    make_fleet(url)
    with running_ingest(url, mosquitto_port, batch_max_readings=100, batch_max_wait="300ms"):
        for number in range(20):
            stamps = range(NOW_MS - 100_000 + number * 50, NOW_MS - 100_000 + number * 50 + 50)
            devices.send("P1", [{"ts": ts, "values": {"temp_c": 20}} for ts in stamps])
        devices.flush()
        until(lambda: count(db, "telemetry") == 1_000)
    readings = db.execute("SELECT octet_length(messages) / 10 AS n FROM ingest_journal").fetchall()
    assert max(row["n"] for row in readings) <= 2
    assert count(db, "conflicting_reading") == 0


def test_a_message_larger_than_we_can_hold_is_withheld_by_the_broker_and_holds_up_nothing(
    url, db, mosquitto_port, devices
):
    make_fleet(url)
    with running_ingest(url, mosquitto_port, mqtt_packet_max_bytes=100_000):
        for number in range(20):
            devices.send("P1", b" " * 200_000).reading("P2", temp_c=number)
            devices.send("P1", b" " * 90_000)
        devices.flush()
        until(lambda: count(db, "telemetry") == 20)
        until(lambda: count(db, "quarantine") == 20)
    assert {row["size"] for row in db.execute("SELECT size FROM quarantine")} == {90_000}


# -- Of before ---------------------------------------------------------------------------------------------------


def test_what_was_kept_without_these_limits_is_brought_within_them(empty_url, monkeypatch):
    """The migration on a store that has a past: long topics, contradictions without a count, a boot that cannot be."""
    every = migrations.all_migrations
    monkeypatch.setattr(migrations, "all_migrations", lambda: [each for each in every() if each[0] < "0014"])
    migrations.migrate(empty_url)
    monkeypatch.undo()
    with connect(empty_url, "test") as db:
        db.execute("INSERT INTO product (code, model, brand, name) VALUES ('pump', 'P', 'B', '{}')")
        for serial in ("P1", "P2"):
            db.execute(
                "INSERT INTO unit (public_id, product_id, serial, printed) SELECT %s, id, %s, %s FROM product",
                [serial, serial, serial],
            )
        ids = [row["id"] for row in db.execute("SELECT id FROM unit ORDER BY id")]
        topics = ["m2m/v1/pump/p-1/telemetry", "m2m/v1/pump/P1" + "-" * 60_000 + "/status", "else/where"]
        for topic in topics:
            db.execute("INSERT INTO quarantine (received_at, topic, reason, detail, payload, size)"
                       " VALUES (now(), %s, 'bad_json', 'no', '{', 1)", [topic])  # fmt: skip
        db.execute("INSERT INTO unit_message VALUES (%s, 1, 1, now(), %s, '{}', 2)", [ids[0], topics[1]])
        for value in (1, 2, 3):
            db.execute("INSERT INTO conflicting_reading VALUES (%s, 1, now(), %s, now())", [ids[0], value])
        db.execute("INSERT INTO receipt VALUES (%s, 't', 9007199254740991, '{}'), (%s, 't', 4, '{}')", ids)
        said = "INSERT INTO event (kind, actor, unit_id, data) VALUES ('unit.firmware_reported', 'gateway', %s, '{}')"
        db.execute(said, [ids[1]])
        assert "0014_pre_device_limits.sql" in migrations.migrate(empty_url)
        kept = db.execute("SELECT sender, length(topic) AS length FROM quarantine ORDER BY id").fetchall()
        assert [tuple(row.values()) for row in kept] == [("pump/P1", 25), ("pump/P1", 256), ("", 10)]
        assert db.execute("SELECT length(topic) AS n FROM unit_message").fetchone()["n"] == 256
        assert db.execute("SELECT readings AS n FROM conflicting_count").fetchone()["n"] == 3
        assert [row["boot"] for row in db.execute("SELECT boot FROM receipt")] == [4]
        reported = db.execute("SELECT id FROM unit WHERE firmware_reported_at IS NOT NULL").fetchall()
        assert [row["id"] for row in reported] == [ids[1]]
