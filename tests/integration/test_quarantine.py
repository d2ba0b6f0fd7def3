"""What was refused is counted, bounded, shown, tried again on the ordinary road, and purged by who may."""

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from gateway.ingest import quarantine
from gateway.ingest.quarantine import Choice
from gateway.registrations.service import import_product
from tests.dsl.ingest import running_ingest
from tests.dsl.mqtt import Devices
from tests.dsl.wait import until
from tests.factories import PUMP, apply_hot_rule, make_fleet, product

FLOW = {"name": "flow_l_min", "title": {"en": "Flow"}, "unit": "l/min", "range": [0, 99], "cadence": "1s"}


@pytest.fixture
def devices(mosquitto_port):
    with Devices(mosquitto_port) as connected:
        yield connected


@pytest.fixture
def fleet(url):
    make_fleet(url)


def count(db, table):
    return db.execute(f"SELECT count(*) AS n FROM {table}").fetchone()["n"]


def retry(db, choice=Choice()):  # noqa: B008 - frozen
    with db.transaction():
        return quarantine.ask_retry(db, choice, "test")


def wait_for_retries(db):
    """Ingest came to everything that was asked for."""
    until(lambda: not db.execute("SELECT 1 FROM quarantine WHERE retry_at IS NOT NULL").fetchone())


def counts_by_reason(db):
    return {row["reason"]: (row["messages"], row["here"], row["trimmed"]) for row in quarantine.counts(db)}


def run_quarantine(url, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "gateway", "quarantine", *arguments],
        env=os.environ | {"GATEWAY_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_after_the_cause_is_mended_a_retry_stores_it_with_its_own_time(url, db, mosquitto_port, devices, fleet):
    at = round(time.time(), 3) - 5
    with running_ingest(url, mosquitto_port):
        devices.reading("P9", at, temp_c=20).reading("P9", temp_c=21).flush()
        until(lambda: count(db, "quarantine") == 2)
        received = [row["received_at"] for row in db.execute("SELECT received_at FROM quarantine ORDER BY id")]
        make_fleet(url, serials=("P9",))
        assert retry(db) == (2, 0)
        until(lambda: count(db, "quarantine") == 0)
        kept = db.execute("SELECT time, value, received_at FROM telemetry ORDER BY time").fetchall()
    assert kept[0]["time"].timestamp() == pytest.approx(at, abs=1e-6)
    assert [row["value"] for row in kept] == [20, 21]
    assert [row["received_at"] for row in kept] == received
    assert kept[1]["time"] == received[1], (
        "one without a time counts as of when it came, not of when it was tried again"
    )


def test_a_retry_judges_nothing_that_is_late_and_goes_the_ordinary_road_else(
    url, db, tmp_path, mosquitto_port, devices, fleet
):
    """P1 went on since: what comes late raises nothing. P9 did not: its old message raises its alarm."""
    apply_hot_rule(url, tmp_path)
    now = time.time()
    with running_ingest(url, mosquitto_port):
        devices.reading("P1", now - 9, temp_c=99, flow_l_min=5).reading("P9", now - 9, temp_c=99).flush()
        until(lambda: count(db, "quarantine") == 2)
        until(lambda: count(db, "alarm") == 1)
        db.execute("DELETE FROM alarm")
        devices.reading("P1", now - 1, temp_c=20, flow_l_min=6).flush()
        until(lambda: count(db, "quarantine") == 3)
        make_fleet(url, serials=("P9",))
        retry(db, Choice(reason="unknown_unit"))
        until(lambda: count(db, "alarm") == 1)
        with db.transaction():
            import_product(db, product(metrics=[*PUMP["metrics"], FLOW]), actor="test")
        until(lambda: count(db, "quarantine") == 0 or (retry(db), wait_for_retries(db), False)[2])
    raised = db.execute("SELECT u.serial FROM alarm a JOIN unit u ON u.id = a.unit_id").fetchall()
    assert [row["serial"] for row in raised] == ["P9"]
    flow = db.execute("SELECT value FROM telemetry JOIN metric m ON m.id = metric_id WHERE m.name = 'flow_l_min'")
    assert sorted(row["value"] for row in flow) == [5, 6]
    assert count(db, "telemetry") == 5, "what of them had been stored before is there once"


def test_retrying_twice_and_retrying_what_is_there_stores_once(url, db, mosquitto_port, devices, fleet):
    with running_ingest(url, mosquitto_port):
        devices.reading("P9", temp_c=20).reading("P1", temp_c=20, sparkle=1).flush()
        until(lambda: count(db, "quarantine") == 2)
        make_fleet(url, serials=("P9",))
        retry(db)
        retry(db)
        wait_for_retries(db)
        retry(db)
        wait_for_retries(db)
    assert count(db, "telemetry") == 2
    assert count(db, "conflicting_reading") == 0
    assert [row["reason"] for row in db.execute("SELECT reason FROM quarantine")] == ["unknown_metric"]


def test_what_is_refused_again_stays_with_its_new_reason(url, db, mosquitto_port, devices, fleet):
    with running_ingest(url, mosquitto_port):
        devices.send("P9", {"values": {"temp_c": "warm"}}).flush()
        until(lambda: count(db, "quarantine") == 1)
        make_fleet(url, serials=("P9",))
        retry(db)
        wait_for_retries(db)
    (kept,) = db.execute("SELECT reason, detail FROM quarantine").fetchall()
    assert kept == {"reason": "not_a_number", "detail": "temp_c is str; send a number"}
    told = db.execute("SELECT data FROM event WHERE kind = 'quarantine.retried'").fetchall()
    assert [row["data"] for row in told] == [{"taken": 0, "refused": 1}]
    assert counts_by_reason(db) == {"not_a_number": (0, 1, 0), "unknown_unit": (1, 0, 0)}, (
        "it is here by its new reason"
    )


def test_what_the_database_refuses_at_a_retry_stays_and_the_others_are_taken(url, db, mosquitto_port, devices, fleet):
    with running_ingest(url, mosquitto_port):
        for value in (20, 66.6, 22):
            devices.reading("P9", temp_c=value)
        devices.flush()
        until(lambda: count(db, "quarantine") == 3)
        db.execute("ALTER TABLE telemetry ADD CHECK (value <> 66.6)")
        make_fleet(url, serials=("P9",))
        retry(db)
        wait_for_retries(db)
    assert [row["reason"] for row in db.execute("SELECT reason FROM quarantine")] == ["refused_by_store"]
    assert count(db, "telemetry") == 2


def test_a_late_status_does_not_set_a_known_firmware_back(url, db, mosquitto_port, devices, fleet):
    with running_ingest(url, mosquitto_port):
        devices.status("P8", {"firmware": "1.0"}).status("P9", {"firmware": "1.0"}).flush()
        until(lambda: count(db, "quarantine") == 2)
        make_fleet(url, serials=("P8", "P9"))
        devices.status("P9", {"firmware": "2.0"}).flush()
        until(lambda: count(db, "event WHERE kind = 'unit.firmware_reported'") == 1)
        retry(db)
        until(lambda: count(db, "quarantine") == 0)
    firmware = db.execute("SELECT serial, firmware FROM unit WHERE serial IN ('P8', 'P9') ORDER BY serial").fetchall()
    assert [row["firmware"] for row in firmware] == ["1.0", "2.0"]


def test_what_was_not_kept_whole_is_not_tried_again_and_says_so(url, db, mosquitto_port, devices, fleet):
    with running_ingest(url, mosquitto_port, quarantine_payload_bytes=20):
        devices.reading("P9", time.time(), temp_c=20).flush()
        until(lambda: count(db, "quarantine") == 1)
        assert retry(db) == (0, 1)
    told = run_quarantine(url, "retry", "--all").stdout
    assert "1 cannot be: they were not kept whole." in told


def test_a_flood_of_poison_stays_within_its_bound_and_is_counted(url, db, mosquitto_port, devices, fleet):
    """The table is trimmed while the flood runs, by ingest itself; nothing of it is lost to the counts."""
    with running_ingest(url, mosquitto_port, quarantine_max_messages=100, batch_max_messages=50):
        for _ in range(3000):
            devices.send("P1", b"{")
        devices.flush()
        most = 0

        def over():
            nonlocal most
            most = max(most, count(db, "quarantine"))
            return counts_by_reason(db).get("bad_json", (0,))[0] == 3000

        until(over)
        devices.reading("P1", temp_c=20).flush()
        until(lambda: count(db, "telemetry") == 1)
    assert most <= 100 + 10 + 50
    messages, here, trimmed = counts_by_reason(db)["bad_json"]
    assert (messages, here + trimmed) == (3000, 3000)
    assert here <= 160


def test_the_command_lists_shows_and_purges(url, db, mosquitto_port, devices, fleet):
    assert run_quarantine(url, "list").stdout == "Nothing was ever refused.\n"
    with running_ingest(url, mosquitto_port):
        devices.send("P1", b"{\x1b[2J").send("P1", {"values": {"sp\x1barkle": 1}}).reading("P9", temp_c=20).flush()
        until(lambda: count(db, "quarantine") == 3)
    listed = run_quarantine(url, "list").stdout
    assert "bad_json: 1 here, 1 ever, 0 trimmed" in listed
    assert "m2m/v1/pump/P9/telemetry" in listed
    assert "\x1b" not in listed, "a device's words must not command the terminal"
    number = db.execute("SELECT min(id) AS n FROM quarantine").fetchone()["n"]
    assert r"'{\x1b[2J'" in run_quarantine(url, "show", str(number)).stdout
    refused = run_quarantine(url, "purge")
    assert (refused.returncode, "--reason" in refused.stderr) == (1, True)
    assert run_quarantine(url, "purge", str(number)).stdout == "1 are gone.\n"
    assert run_quarantine(url, "purge", str(number)).returncode == 1
    assert run_quarantine(url, "purge", "--reason", "unknown_unit").stdout == "1 are gone.\n"
    assert counts_by_reason(db) == {"bad_json": (1, 0, 0), "unknown_metric": (1, 1, 0), "unknown_unit": (1, 0, 0)}
    purged = db.execute("SELECT actor, data FROM event WHERE kind = 'quarantine.purged' ORDER BY id").fetchall()
    assert purged[1] == {"actor": "cli", "data": {"messages": 1, "reason": "unknown_unit"}}


def test_staff_try_again_and_an_administrator_purges(url, world, db, mosquitto_port, devices, fleet):
    support, administrator = world.as_("support"), world.as_("administrator")
    with running_ingest(url, mosquitto_port):
        devices.reading("P9", temp_c=20).send("P1", b"{").flush()
        until(lambda: count(db, "quarantine") == 2)
        (found,) = support.get("/api/quarantine?reason=unknown_unit").json()["messages"]
        assert (found["whole"], found["retry_at"]) == (True, None)
        assert support.get(f"/api/quarantine/{found['id']}").json() == found
        make_fleet(url, serials=("P9",))
        answer = support.post("/api/quarantine/retry", {"ids": [found["id"]]})
        assert (answer.status_code, answer.json()) == (202, {"asked": 1, "cut": 0})
        until(lambda: count(db, "telemetry") == 1)
        until(lambda: support.get(f"/api/quarantine/{found['id']}").status_code == 404)
    (kept,) = support.get("/api/quarantine").json()["messages"]
    assert support.get("/api/quarantine/counts").json()["reasons"] == [
        {"reason": "bad_json", "messages": 1, "here": 1, "trimmed": 0, "last_at": kept["received_at"]},
        {"reason": "unknown_unit", "messages": 1, "here": 0, "trimmed": 0, "last_at": found["received_at"]},
    ]
    assert support.post("/api/quarantine/purge", {"reason": "bad_json"}).status_code == 403
    assert administrator.post("/api/quarantine/purge", {"reason": "bad_json"}).json() == {"purged": 1}
    gone = administrator.post("/api/quarantine/purge", {"reason": "bad_json"})
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")
    nothing = administrator.post("/api/quarantine/purge", {})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "bad_input")
    asked = "SELECT p.name FROM event e JOIN person p ON p.public_id = e.actor WHERE kind = 'quarantine.retry_asked'"
    assert db.execute(asked).fetchone()["name"] == "A support"


def test_a_retry_waits_for_an_ingest_that_is_away(url, db, mosquitto_port, devices, fleet):
    with running_ingest(url, mosquitto_port):
        devices.reading("P9", temp_c=20).flush()
        until(lambda: count(db, "quarantine") == 1)
    make_fleet(url, serials=("P9",))
    retry(db)
    assert "waits for another try" in run_quarantine(url, "list").stdout
    assert db.execute("SELECT now() - retry_at AS ago FROM quarantine").fetchone()["ago"] < timedelta(minutes=1)
    with running_ingest(url, mosquitto_port):
        until(lambda: count(db, "quarantine") == 0)
    assert count(db, "telemetry") == 1
