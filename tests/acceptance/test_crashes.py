"""What is acknowledged is stored and judged, exactly once, however often the ingest role is killed."""

import time

from tests.dsl.mqtt import Devices
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import make_fleet

MESSAGES = 20_000
UNITS = tuple(f"P{number}" for number in range(20))
KILLS = 10


def test_ten_kills_in_mid_stream_lose_nothing_and_double_nothing(request, url, db, tmp_path, broker_port):
    """20,000 QoS 1 messages, every second one without `ts`, each with a value of its own."""
    make_fleet(url, UNITS, owners={})
    start = time.time() - 1000
    with running_roles(url, broker_port, tmp_path, "ingest") as roles:
        until(lambda: "Connected to the broker" in roles.log("ingest"))
        with Devices(broker_port) as devices:
            sent = 0
            for kill in range(KILLS + 1):
                goal = MESSAGES * (kill + 1) // (KILLS + 1)
                while sent < goal:
                    at = start + sent / 1000 if sent % 2 else None
                    devices.reading(UNITS[sent % len(UNITS)], at, temp_c=sent / 100)
                    sent += 1
                if kill < KILLS:
                    stored = count(db)
                    until(lambda: count(db) > stored, within=60)  # noqa: B023 - asked at once
                    roles.kill("ingest")
                    roles.start("ingest")
            devices.flush()
            until(lambda: count(db) >= MESSAGES, within=120, what="every message is stored")
        assert roles.stop("ingest") == 0
    stored = db.execute("SELECT round(value * 100)::int AS number FROM telemetry ORDER BY 1").fetchall()
    assert [row["number"] for row in stored] == list(range(MESSAGES))
    assert db.execute("SELECT count(*) AS n FROM quarantine").fetchone()["n"] == 0
    assert db.execute("SELECT count(*) AS n FROM conflicting_reading").fetchone()["n"] == 0
    # It is no proof unless something really came again; the small window of the embedded broker leaves that to chance.
    assert "redelivered messages known again" in roles.log("ingest") or "embedded]" in request.node.name


def count(db):
    return db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"]
