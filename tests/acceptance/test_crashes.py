"""What is acknowledged is stored and judged, exactly once, however often the ingest role is killed."""

import time

from tests.dsl.forms import form
from tests.dsl.mqtt import Devices
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import make_fleet

PER_KILL = form(1_000, 2_000)
UNITS = tuple(f"P{number}" for number in range(20))
KILLS, MOST_KILLS = form(2, 10), 40


def test_kills_in_mid_stream_lose_nothing_and_double_nothing(url, db, tmp_path, broker_port):
    """QoS 1 messages, every second one without `ts`, each with a value of its own.

    It is no proof unless something really came again: where the kills did not make it so, more do.
    """
    make_fleet(url, UNITS, owners={})
    start, sent = time.time() - 1000, 0
    with running_roles(url, broker_port, tmp_path, "ingest") as roles:

        def is_redelivered():
            return "redelivered messages known again" in roles.log("ingest")

        until(lambda: "Connected to the broker" in roles.log("ingest"))
        with Devices(broker_port) as devices:
            for kill in range(MOST_KILLS):
                if kill >= KILLS and is_redelivered():
                    break
                sent = send(devices, start, sent)
                batches = committed_count(db)
                # Between a commit and its acknowledgement there is hardly time: asked without a pause.
                until(lambda: committed_count(db) > batches, within=60, every=0)  # noqa: B023 - asked at once
                roles.kill("ingest")
                roles.start("ingest")
            sent = send(devices, start, sent)
            devices.flush()
            until(lambda: count(db) >= sent, within=120, what="every message is stored")
        assert roles.stop("ingest") == 0
        assert is_redelivered()
    stored = db.execute("SELECT round(value * 1000)::int AS number FROM telemetry ORDER BY 1").fetchall()
    assert [row["number"] for row in stored] == list(range(sent))
    assert db.execute("SELECT count(*) AS n FROM quarantine").fetchone()["n"] == 0
    assert db.execute("SELECT count(*) AS n FROM conflicting_reading").fetchone()["n"] == 0


def send(devices, start, sent):
    """Publish so many more. Returns how many that makes."""
    for number in range(sent, sent + PER_KILL):
        at = start + number / 1000 if number % 2 else None
        devices.reading(UNITS[number % len(UNITS)], at, temp_c=number / 1000)
    return sent + PER_KILL


def committed_count(db):
    return db.execute("SELECT coalesce(max(seq), 0) AS n FROM ingest_journal").fetchone()["n"]


def count(db):
    return db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"]
