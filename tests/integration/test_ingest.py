"""From the broker to the database: what is stored, judged, refused, and when it is acknowledged."""

import logging
import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.m2m.session import Session
from tests.dsl.ingest import CLIENT_ID, running_ingest
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until
from tests.factories import apply_hot_rule, make_fleet

pytestmark = pytest.mark.both


def rows(db, what="value, late"):
    return [tuple(row.values()) for row in db.execute(f"SELECT {what} FROM telemetry ORDER BY time, metric_id")]


def count(db, table):
    return db.execute(f"SELECT count(*) AS n FROM {table}").fetchone()["n"]


def alarms(db):
    return db.execute("SELECT onset, raised_at, cleared_at, historic, evidence FROM alarm ORDER BY id").fetchall()


@pytest.fixture
def devices(broker_port):
    with Devices(broker_port) as connected:
        yield connected


@pytest.fixture
def fleet(url):
    make_fleet(url)


def test_readings_are_stored_with_their_own_time_and_the_newest_is_kept(url, db, broker_port, devices, fleet):
    now = time.time()
    with running_ingest(url, broker_port):
        devices.reading("P1", now - 2, temp_c=20.5, pressure_bar=1.25).reading("P1", now - 1, temp_c=21).flush()
        until(lambda: count(db, "telemetry") == 3)
    assert rows(db) == [(20.5, False), (1.25, False), (21.0, False)]
    newest = db.execute("SELECT value FROM latest ORDER BY metric_id").fetchall()
    assert [row["value"] for row in newest] == [21.0, 1.25]


def test_a_message_without_a_time_counts_as_now(url, db, broker_port, devices, fleet):
    before = time.time()
    with running_ingest(url, broker_port):
        devices.reading("P1", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
    row = db.execute("SELECT time, received_at FROM telemetry").fetchone()
    assert row["time"] == row["received_at"]
    assert before <= row["time"].timestamp() <= time.time()


def test_equal_messages_without_a_time_are_each_stored(url, db, broker_port, devices, fleet):
    """They are two readings, not a repeat: only what a broken connection brings again is one."""
    with running_ingest(url, broker_port):
        for _ in range(50):
            devices.reading("P1", temp_c=20)
        devices.flush()
        until(lambda: count(db, "telemetry") == 50)


@pytest.mark.parametrize("qos", [0, 1])
def test_messages_with_and_without_mqtt_5_properties_arrive_in_their_order_and_are_acknowledged(
    url, db, mosquitto_port, fleet, qos
):
    """paho reads those with properties, we those without."""
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = ("line", "7")
    properties.ContentType = "application/json"
    with running_ingest(url, mosquitto_port), Devices(mosquitto_port) as devices:
        for value in range(40):
            given = properties if value % 2 else None
            devices.send("P1", {"values": {"temp_c": value}}, qos=qos, properties=given)
        devices.flush()
        until(lambda: count(db, "telemetry") == 40)
    assert [value for value, _ in rows(db)] == list(range(40))
    with Session(("127.0.0.1", mosquitto_port), None, CLIENT_ID, clean=False) as session:
        assert session.resumed
        assert session.collect(1, within_s=1) == 0


def test_duplicates_are_ignored_and_a_second_value_is_kept_as_conflicting(url, db, broker_port, devices, fleet):
    at = time.time() - 5
    with running_ingest(url, broker_port):
        devices.reading("P1", at, temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
        devices.reading("P1", at, temp_c=20).reading("P1", at, temp_c=33).reading("P1", at + 1, temp_c=21).flush()
        until(lambda: count(db, "telemetry") == 2)
    assert rows(db) == [(20.0, False), (21.0, False)]
    assert [row["value"] for row in db.execute("SELECT value FROM conflicting_reading")] == [33.0]


def test_two_values_of_one_moment_in_one_batch_keep_the_first_to_arrive(url, db, broker_port, devices, fleet):
    at = time.time() - 5
    with running_ingest(url, broker_port, batch_max_wait="500ms"):
        for value in (20, 33, 20):
            devices.reading("P1", at, temp_c=value)
        devices.flush()
        until(lambda: count(db, "conflicting_reading") == 1)
    assert rows(db) == [(20.0, False)]


def test_a_reading_older_than_what_was_judged_is_late_and_raises_nothing(
    url, db, tmp_path, broker_port, devices, fleet
):
    apply_hot_rule(url, tmp_path)
    now = time.time()
    with running_ingest(url, broker_port):
        devices.reading("P1", now - 1, temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
        devices.reading("P1", now - 9, temp_c=99).reading("P1", now, temp_c=21).flush()
        until(lambda: count(db, "telemetry") == 3)
    assert rows(db) == [(99.0, True), (20.0, False), (21.0, False)]
    assert alarms(db) == []


def test_an_alarm_has_onset_values_and_clearing(url, db, tmp_path, broker_port, devices, fleet):
    apply_hot_rule(url, tmp_path, for_="2s", raised="5s")
    start = time.time() - 10
    with running_ingest(url, broker_port):
        for second, value in enumerate((80, 95, 97, 96, 88, 84)):
            devices.reading("P1", start + second, temp_c=value)
        devices.flush()
        until(lambda: count(db, "telemetry") == 6)
    (alarm,) = alarms(db)
    assert alarm["onset"].timestamp() == pytest.approx(start + 1, abs=0.001)
    assert alarm["raised_at"].timestamp() == pytest.approx(start + 3, abs=0.001)
    assert alarm["cleared_at"].timestamp() == pytest.approx(start + 5, abs=0.001)
    assert alarm["evidence"] == {
        "metric": "temp_c",
        "unit": "°C",
        "onset_value": 95.0,
        "value": 96.0,
        "extreme": 97.0,
    }
    assert [row["kind"] for row in db.execute("SELECT kind FROM event WHERE kind LIKE 'alarm%' ORDER BY id")] == [
        "alarm.raised",
        "alarm.cleared",
    ]


def test_an_alarm_that_could_have_been_raised_long_ago_is_historic(url, db, tmp_path, broker_port, devices, fleet):
    apply_hot_rule(url, tmp_path)
    with running_ingest(url, broker_port, historic_after="1h"):
        devices.reading("P1", time.time() - 3700, temp_c=99).reading("P2", time.time() - 3500, temp_c=99).flush()
        until(lambda: len(alarms(db)) == 2)
    assert [alarm["historic"] for alarm in alarms(db)] == [True, False]


def test_poison_is_quarantined_with_its_reason_and_never_blocks(url, db, broker_port, devices, fleet):
    now_ms = round(time.time() * 1000)
    poison = {
        "bad_json": b"\xff\x00{",
        "bad_shape": {"temp_c": 20},
        "unknown_metric": {"values": {"sparkle\0": 1}},
        "not_a_number": {"values": {"temp_c": "warm"}},
        "out_of_range": {"values": {"temp_c": 4000}},
        "future_time": {"ts": now_ms + 86_400_000, "values": {"temp_c": 20}},
        "too_old": {"ts": now_ms // 1000, "values": {"temp_c": 20}},
        "bad_time": {"ts": "yesterday", "values": {"temp_c": 20}},
        "too_large": b" " * 3000,
        "empty": [],
    }
    with running_ingest(url, broker_port, payload_max_bytes=2000):
        for payload in poison.values():
            devices.send("P1", payload)
        devices.send("P9", {"values": {"temp_c": 20}}).send("P1", {"values": {"temp_c": 20}}, product="teapot")
        devices.send("!", {"values": {"temp_c": 20}})
        devices.reading("P1", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
    kept = db.execute("SELECT reason, detail, topic FROM quarantine ORDER BY id").fetchall()
    assert [row["reason"] for row in kept] == [*poison, "unknown_unit", "unknown_product", "bad_topic"]
    assert all(row["detail"] for row in kept)


def test_what_can_be_read_of_a_message_is_stored_and_the_message_kept(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port):
        devices.reading("P1", temp_c=20, sparkle=1).flush()
        until(lambda: count(db, "telemetry") == 1)
    (kept,) = db.execute("SELECT reason, detail FROM quarantine").fetchall()
    assert kept == {"reason": "unknown_metric", "detail": "sparkle is not in the product's registry"}


def test_a_unit_imported_later_is_known_at_once(url, db, broker_port, devices, fleet):
    with running_ingest(url, broker_port):
        devices.reading("P9", temp_c=20).flush()
        until(lambda: count(db, "quarantine") == 1)
        make_fleet(url, serials=("P9",))
        devices.reading("P-9", temp_c=21).flush()
        until(lambda: count(db, "telemetry") == 1)


def test_a_message_that_the_database_refuses_is_found_and_quarantined(url, db, broker_port, devices, fleet):
    db.execute("ALTER TABLE telemetry ADD CHECK (value <> 66.6)")
    with running_ingest(url, broker_port):
        for value in (*range(20, 40), 66.6, *range(40, 60)):
            devices.reading("P1", temp_c=value)
        devices.flush()
        until(lambda: count(db, "telemetry") == 40)
    assert [row["reason"] for row in db.execute("SELECT reason FROM quarantine")] == ["refused_by_store"]


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON ingest_journal EXECUTE FUNCTION full_disk()
"""


def test_a_database_that_has_no_room_is_asked_again_now_and_then(url, db, broker_port, devices, fleet, caplog):
    """It answers at once, unlike one that is away: without a pause the log would fill what is left of the disk."""
    with running_ingest(url, broker_port):
        until(lambda: count(db, "ingest_journal") == 1)  # the catalog is taken over
        db.execute(FULL)
        devices.reading("P1", temp_c=20).flush()
        until(lambda: caplog.text.count("No space left") >= 3)
        asked = [record.created for record in caplog.records if "No space left" in record.message]
        assert count(db, "telemetry") == 0
        db.execute("DROP TRIGGER full_disk ON ingest_journal")
        until(lambda: count(db, "telemetry") == 1)
    assert asked[2] - asked[0] >= 2


def test_a_failed_commit_is_tried_again_and_leaves_no_trace(url, db, tmp_path, mosquitto_port, fleet):
    """The connection is cut over and over while alarms come and go: all is stored once, each alarm is there once."""
    apply_hot_rule(url, tmp_path)
    start = time.time() - 2000
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway-ingest'"
        " AND datname = current_database()"
    )
    with Devices(mosquitto_port) as devices, running_ingest(url, mosquitto_port, batch_max_messages=20):
        for second in range(1000):
            devices.reading("P1", start + second, temp_c=95 if second % 10 < 5 else 20)
            if second % 150 == 149:
                db.execute(cut)
        devices.flush()
        until(lambda: count(db, "telemetry") == 1000, within=40)
        until(lambda: count(db, "alarm") == 100)
    assert db.execute("SELECT count(*) AS n FROM event WHERE kind = 'alarm.raised'").fetchone()["n"] == 100
    assert db.execute("SELECT count(*) AS n FROM alarm WHERE cleared_at IS NULL").fetchone()["n"] == 0
    assert count(db, "quarantine") == 0


def test_a_restart_changes_no_alarm_and_forgets_no_timer(url, db, tmp_path, broker_port, devices, fleet):
    """P1 has an active alarm, P2 waits for its two seconds to pass: both go on after the restart as if nothing was."""
    apply_hot_rule(url, tmp_path, for_="2s", raised="5s")
    start = time.time() - 20
    with running_ingest(url, broker_port):
        for second in range(4):
            devices.reading("P1", start + second, temp_c=95)
        devices.reading("P2", start, temp_c=95).flush()
        until(lambda: count(db, "telemetry") == 5)
    before = alarms(db)
    with running_ingest(url, broker_port):
        assert alarms(db) == before
        devices.reading("P2", start + 2, temp_c=95).reading("P1", start + 5, temp_c=95).flush()
        until(lambda: count(db, "alarm") == 2)
        devices.reading("P1", start + 6, temp_c=20).flush()
        until(lambda: alarms(db)[0]["cleared_at"])
    first, second = alarms(db)
    assert first["onset"] == before[0]["onset"]
    assert second["onset"].timestamp() == pytest.approx(start, abs=0.001)
    assert second["cleared_at"] is None


def test_a_changed_rule_is_taken_over_while_running_and_its_old_alarms_are_cleared(
    url, db, tmp_path, broker_port, devices, fleet
):
    apply_hot_rule(url, tmp_path)
    now = time.time()
    with running_ingest(url, broker_port):
        devices.reading("P1", now - 5, temp_c=95).flush()
        until(lambda: count(db, "alarm") == 1)
        apply_hot_rule(url, tmp_path, severity="critical")
        until(lambda: alarms(db)[0]["cleared_at"])
        devices.reading("P1", now - 4, temp_c=95).flush()
        until(lambda: count(db, "alarm") == 2)
    versions = db.execute("SELECT v.version FROM alarm a JOIN rule_version v ON v.id = a.rule_version_id ORDER BY a.id")
    assert [row["version"] for row in versions] == [1, 2]


def test_snapshots_trim_the_journal_and_carry_the_state(url, db, tmp_path, mosquitto_port, fleet):
    apply_hot_rule(url, tmp_path, for_="10s", raised="13s")
    start = time.time() - 100
    with Devices(mosquitto_port) as devices:
        with running_ingest(url, mosquitto_port, snapshot_every="0s", mqtt_receive_maximum=5):
            for second in range(9):
                devices.reading("P1", start + second, temp_c=95).flush()
                until(lambda: count(db, "telemetry") == second + 1)  # noqa: B023 - asked at once
            until(lambda: count(db, "ingest_journal") <= 6)
            until(lambda: db.execute("SELECT min(seq) AS seq FROM partition_mark").fetchone()["seq"] >= 9)
        with running_ingest(url, mosquitto_port):
            devices.reading("P1", start + 10, temp_c=95).flush()
            until(lambda: count(db, "alarm") == 1)
    assert alarms(db)[0]["onset"].timestamp() == pytest.approx(start, abs=0.001)


def test_of_two_ingests_one_works_and_the_other_takes_over_when_it_ends(url, db, mosquitto_port, fleet, caplog):
    caplog.set_level(logging.INFO)

    def logged(words):
        return caplog.text.count(words)

    with ExitStack() as first, Devices(mosquitto_port) as devices:
        first.enter_context(running_ingest(url, mosquitto_port))
        with running_ingest(url, mosquitto_port, await_broker=False):
            until(lambda: logged("Another ingest process works on this database"))
            devices.reading("P1", temp_c=20).flush()
            until(lambda: count(db, "telemetry") == 1)
            looks = logged("Another ingest process works on this database")
            until(lambda: logged("Another ingest process works on this database") > looks)  # with work to be had
            assert (logged("Rule state restored"), logged("Connected to the broker")) == (1, 1)
            first.close()
            devices.reading("P1", temp_c=21).flush()
            until(lambda: count(db, "telemetry") == 2)
            assert (logged("Rule state restored"), logged("Connected to the broker")) == (2, 2)


def test_settings_are_checked_when_the_product_changes(url, db, broker_port, devices, fleet):
    """A metric that a new product file adds is taken without a restart."""
    from gateway.registrations.service import import_product  # noqa: PLC0415
    from tests.factories import PUMP, product  # noqa: PLC0415

    with running_ingest(url, broker_port):
        devices.reading("P1", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
        flow = {"name": "flow_l_min", "title": {"en": "Flow"}, "unit": "l/min", "range": [0, 99], "cadence": "1s"}
        with db.transaction():
            import_product(db, product(metrics=[*PUMP["metrics"], flow]), actor="test")

        def taken():
            devices.reading("P1", flow_l_min=5).flush()
            return count(db, "telemetry") > 1

        until(taken, every=0.2)


def test_a_database_that_was_not_migrated_is_one_clear_line(empty_url):
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve"],
        env=os.environ | {"GATEWAY_DATABASE_URL": empty_url},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 78
    assert "Run `gateway migrate`" in done.stderr
    assert len(done.stderr.splitlines()) == 1
