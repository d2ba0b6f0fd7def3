"""What an operator sees of the real roles: one trace from message to mail, metrics, and a readiness that means it."""

import json
import subprocess
import sys
import time

import pytest

from gateway import flow
from tests.dsl.mqtt import Devices
from tests.dsl.ports import free_port
from tests.dsl.roles import ROLES, metrics, running_roles
from tests.dsl.wait import until
from tests.factories.notices import QUICK, make_owner


@pytest.fixture
def ports():
    return {role: free_port() for role in ROLES}


@pytest.fixture
def roles(url, mosquitto_port, tmp_path, mail, ports):
    make_owner(url, tmp_path)
    settings = QUICK | {"log_format": "json", "smtp_url": mail.url, "broker_watch_every": "500ms"}
    settings |= {f"metrics_port_{role}": port for role, port in ports.items()}
    with running_roles(url, mosquitto_port, tmp_path, **settings) as running:
        yield running


def lines(roles, role):
    """A role's log, each line an object."""
    return [json.loads(line) for line in roles.log(role).rpartition("\n")[0].splitlines()]


def health(roles, role):
    command = [sys.executable, "-m", "gateway", "health", "--role", role]
    return subprocess.run(command, env=roles.env, capture_output=True, text=True, timeout=30)


def test_one_trace_leads_from_a_message_to_its_mail(roles, db, mail, mosquitto_port):
    with Devices(mosquitto_port) as devices:
        devices.reading("P1", time.time() - 1, temp_c=20).flush()
        until(lambda: db.execute("SELECT 1 FROM telemetry").fetchone())
        devices.reading("P1", temp_c=95).flush()
        until(lambda: any(line.get("stage") == "deliver" and "trace" in line for line in lines(roles, "worker")))
    assert len(mail.mails) == 1
    (raised,) = [row["data"] for row in db.execute("SELECT data FROM event WHERE kind = 'alarm.raised'")]
    trace = raised["trace"]
    assert db.execute("SELECT trace FROM notice").fetchone()["trace"] == trace
    road = [
        line["stage"]
        for role in ("ingest", "worker")
        for line in lines(roles, role)
        if line.get("trace") == trace and "stage" in line
    ]
    assert road == ["receive", "decode", "judge", "store", "acknowledge", "record", "deliver"]
    assert set(road) <= {stage.name for stage in flow.READING_TO_NOTICE}
    assert all({"time", "level", "logger", "message"} <= set(line) for role in ROLES for line in lines(roles, role))


def test_every_role_tells_what_it_did(roles, db, mail, ports, mosquitto_port):
    with Devices(mosquitto_port) as devices:
        devices.reading("P1", time.time() - 1, temp_c=95).send("P1", b"{").send("P9", {"values": {"temp_c": 1}}).flush()
        until(lambda: any(line.get("stage") == "deliver" and "trace" in line for line in lines(roles, "worker")))
        until(lambda: metrics(ports["ingest"]).get(("gateway_messages_stored_total",)) == 3)
        until(lambda: ("gateway_broker_dropped_messages",) in metrics(ports["ingest"]))
    roles.get("/api/units")
    ingest, worker, api = (metrics(ports[role]) for role in ROLES)
    assert ingest["gateway_messages_received_total",] == 3
    assert ingest["gateway_readings_stored_total",] == 1
    assert ingest["gateway_messages_refused_total", "bad_json"] == 1
    assert ingest["gateway_messages_refused_total", "unknown_unit"] == 1
    assert ingest["gateway_alarm_changes_total", "raised"] == 1
    assert ingest["gateway_broker_connected",] == 1
    assert ingest["gateway_broker_window_messages", "gateway"] == 5_000
    assert ingest["gateway_broker_window_messages", "broker"] > 0
    assert (ingest["gateway_queue_messages",], ingest["gateway_lag_seconds",]) == (0, 0)
    assert 0.5 < ingest["gateway_device_lag_seconds",] < 60
    for stage in ("decode", "judge", "store", "acknowledge"):
        assert ingest["gateway_stage_seconds_count", stage] >= 1
    assert worker["gateway_database_up",] == 1
    assert worker["gateway_deliveries_total", "delivered", "email"] == 1
    assert worker["gateway_quarantine_messages", "bad_json"] == 1
    assert worker["gateway_events_handled_total",] >= 1
    assert api["gateway_http_seconds_count", "/api/units", "200", "GET"] == 1
    with roles.stream():
        until(lambda: metrics(ports["api"])["gateway_streams_open",] == 1)
    names = {name for each in (ingest, worker, api) for name in each}
    assert not [name for name in names if "P1" in name or "P9" in name], "no label holds a serial"


def test_readiness_says_what_is_waited_for(roles, mosquitto_port):
    assert roles.readiness() == (200, {"ready": True, "silent": [], "waiting_for": {}, "suspended": []})
    roles.kill("worker")
    waits = {"ready": False, "silent": ["worker"], "waiting_for": {"worker": "a sign of life"}, "suspended": []}
    until(lambda: roles.readiness() == (503, waits), within=30)
    assert health(roles, "api").returncode == 0, "to start api again would mend nothing"
    assert health(roles, "ingest").returncode == 0
    assert health(roles, "worker").returncode == 1


def test_without_the_broker_nothing_is_ready(url, db, tmp_path):
    with running_roles(url, free_port(), tmp_path, *ROLES) as roles:
        until(lambda: is_alive(roles) and roles.readiness()[1]["waiting_for"] == {"ingest": "the broker"}, within=40)
        assert roles.readiness()[0] == 503
        told = health(roles, "ingest")
        assert (told.returncode, told.stderr) == (1, "gateway: ingest lives, and waits for the broker.\n")
        assert roles.get("/healthz") == {"alive": True}


def is_alive(roles):
    try:
        return roles.get("/healthz")["alive"]
    except OSError:
        return False


def test_a_port_that_is_taken_costs_the_metrics_and_not_the_role(url, mosquitto_port, tmp_path):
    taken = free_port()
    settings = {"metrics_port_ingest": taken, "metrics_port_worker": taken}
    with running_roles(url, mosquitto_port, tmp_path, **settings) as roles:
        assert ("No metrics" in roles.log("ingest")) != ("No metrics" in roles.log("worker"))
