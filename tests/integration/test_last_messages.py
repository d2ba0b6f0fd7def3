"""The last messages of a unit: what its owner sees when they connect a device."""

import time

from prometheus_client import REGISTRY

from tests.dsl.ingest import running_ingest
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until
from tests.factories import make_fleet

DAY_MS = 86_400_000
WITH_UNKNOWN_FIELDS = "gateway_messages_with_unknown_fields_total"


def kept_messages(db, serial="P1"):
    return db.execute(
        "SELECT m.number, m.reason, m.detail, m.payload, m.size, m.topic"
        " FROM unit_message m JOIN unit u ON u.id = m.unit_id WHERE u.serial = %s ORDER BY m.number",
        [serial],
    ).fetchall()


def test_what_was_taken_and_what_was_refused_stands_there_with_the_reason(url, db, mosquitto_port):
    make_fleet(url)
    with running_ingest(url, mosquitto_port, last_message_bytes=40), Devices(mosquitto_port) as devices:
        for number, payload in enumerate(
            (
                {"values": {"temp_c": 20}},
                b"\xff\x00{",
                {"values": {"temp_c": 21, "sparkle": 1}},
                {"values": {"temp_c": 4000}},
                b" " * 70_000,
            ),
            1,
        ):
            devices.send("P-1", payload).flush()
            until(lambda: len(kept_messages(db)) == number)  # noqa: B023 - asked at once
        devices.send("P9", {"values": {"temp_c": 20}}).flush()
        until(lambda: db.execute("SELECT id FROM quarantine WHERE reason = 'unknown_unit'").fetchone())
    messages = kept_messages(db)
    assert [row["reason"] for row in messages] == [None, "bad_json", "unknown_metric", "out_of_range", "too_large"]
    assert messages[0]["payload"] == b'{"values": {"temp_c": 20}}'
    assert messages[2]["detail"] == "sparkle is not in the product's registry"
    assert (len(messages[4]["payload"]), messages[4]["size"]) == (40, 70_000)
    assert {row["topic"] for row in messages} == {"m2m/v1/pump/P-1/telemetry"}
    assert db.execute("SELECT count(*) AS n FROM unit_message").fetchone()["n"] == 5


def test_twenty_are_kept_of_a_unit(url, db, mosquitto_port):
    make_fleet(url)
    with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices:
        for number in range(25):
            devices.reading("P1", temp_c=number).flush()
            until(lambda: [row["number"] for row in kept_messages(db)][-1:] == [number + 1])  # noqa: B023 - asked at once
    assert [row["number"] for row in kept_messages(db)] == list(range(6, 26))


def test_the_numbers_go_on_after_a_restart(url, db, mosquitto_port):
    make_fleet(url)
    for number in (1, 2):
        with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices:
            devices.reading("P1", temp_c=20).flush()
            until(lambda: len(kept_messages(db)) == number)  # noqa: B023 - asked at once
    assert [row["number"] for row in kept_messages(db)] == [1, 2]


def test_a_message_that_the_store_refuses_is_named_without_the_stores_words(url, db, mosquitto_port):
    make_fleet(url)
    db.execute("ALTER TABLE telemetry ADD CHECK (value <> 66.6)")
    with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices:
        devices.reading("P1", temp_c=66.6).flush()
        until(lambda: kept_messages(db))
    (message,) = kept_messages(db)
    assert message["reason"] == "refused_by_store"
    assert "check" not in message["detail"]


def test_what_was_ignored_and_what_was_not_taken_stands_there(url, db, world, mosquitto_port):
    """`Taken` is true: a second value for a time is counted at the message that brought it."""
    make_fleet(url)
    at = round(time.time() * 1000) - 5_000
    messages = (
        {"ts": at, "values": {"temp_c": 20}, "colour": "red", 'a "b" \\, {}': 1},
        {"ts": at, "values": {"temp_c": 21, "pressure_bar": 1}},
        {"ts": at, "values": {"temp_c": 20}},
        [{"values": {"temp_c": 20}}, {"values": {"temp_c": 20}}],
        [{"ts": at + 1, "values": {"temp_c": 20}}, {"ts": at + 1, "values": {"temp_c": 30}}],
        [{"ts": at - DAY_MS, "values": {"temp_c": 20}}, {"ts": at - 2 * DAY_MS, "values": {"temp_c": 20}}],
    )
    counted = REGISTRY.get_sample_value(WITH_UNKNOWN_FIELDS)
    with running_ingest(url, mosquitto_port, message_max_days=1), Devices(mosquitto_port) as devices:
        for number, payload in enumerate(messages, 1):
            devices.send("P1", payload).flush()
            until(lambda: len(kept_messages(db)) == number)  # noqa: B023 - asked at once
    rows = db.execute("SELECT reason, ignored, conflicting FROM unit_message ORDER BY number").fetchall()
    assert [tuple(row.values()) for row in rows] == [
        (None, ["colour", 'a "b" \\, {}'], 0),
        (None, [], 1),
        (None, [], 0),
        ("no_time", [], 0),
        ("same_time", [], 0),
        ("too_many_days", [], 0),
    ]
    assert REGISTRY.get_sample_value(WITH_UNKNOWN_FIELDS) == counted + 1
    assert db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"] == 4
    (unit,) = [unit for unit in world.as_("support").get("/api/units").json()["units"] if unit["serial"] == "P1"]
    shown = world.as_("support").get(f"/api/units/{unit['id']}/messages").json()["messages"]
    assert [(each["reason"], each["ignored"], each["conflicting"]) for each in reversed(shown)] == [
        tuple(row.values()) for row in rows
    ]
    span = "since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z"
    conflicts = world.as_("support").get(f"/api/units/{unit['id']}/conflicts?{span}").json()
    assert (len(conflicts["readings"]), conflicts["ever"]) == (1, 1)
