"""What is committed is told, also when the process that committed it was killed before it could tell."""

import time

from tests.dsl.forms import form
from tests.dsl.mqtt import Devices
from tests.dsl.receipts import Listener
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import make_fleet

TRIES = 10
"""Kills until one falls between commit and publication; nearly every one does."""
UNITS = 20
MESSAGES = form(1_600, 4_000)
KILLS = form(2, 5)


def test_a_kill_between_commit_and_publication_is_made_good_at_the_next_start(url, db, tmp_path, broker_port):
    make_fleet(url, receipts=True)
    start = time.time() - 1_000

    def committed():
        row = db.execute("SELECT upper(taken) - 1 AS upto FROM receipt").fetchone()
        return row["upto"] if row else 0

    def send(seq):
        devices.send("P1", {"seq": seq, "ts": round((start + seq) * 1000), "values": {"temp_c": 20}}).flush()
        until(lambda: committed() == seq)

    with running_roles(url, broker_port, tmp_path, "ingest") as roles, Devices(broker_port) as devices:
        until(lambda: "Connected to the broker" in roles.log("ingest"))
        between = False
        seq = 0
        while not between and seq < 2 * TRIES:
            with Listener(broker_port) as heard:
                send(seq := seq + 1)
                until(lambda: heard.last("P1") == (0, seq))
                send(seq := seq + 1)  # it has to wait for its turn, which comes in a second
                roles.kill("ingest")
                heard.catch_up()  # with what may be under way
                between = heard.last("P1") == (0, seq - 1)
            with Listener(broker_port) as heard:
                roles.start("ingest")
                until(lambda: heard.last("P1") == (0, seq))
        assert between, "no kill fell between, so this shows nothing"
        assert roles.stop("ingest") == 0


def test_kills_in_mid_stream_never_tell_of_what_is_not_stored(url, db, tmp_path, broker_port):
    """Whatever any receipt ever said is in the database at its end; and in the end all is told."""
    serials = [f"P{number}" for number in range(UNITS)]
    make_fleet(url, serials, owners={}, receipts=True)
    start = time.time() - 10_000
    with running_roles(url, broker_port, tmp_path, "ingest") as roles, Listener(broker_port) as heard:
        until(lambda: "Connected to the broker" in roles.log("ingest"))
        with Devices(broker_port) as devices:
            for number in range(MESSAGES):
                seq = number // UNITS + 1
                stamp = {"ts": round((start + seq) * 1000), "values": {"temp_c": seq}}
                devices.send(serials[number % UNITS], {"seq": seq} | stamp)
                if number % (MESSAGES // KILLS) == MESSAGES // KILLS // 2:
                    told = len(heard.came)
                    until(lambda: len(heard.came) > told, within=60)  # noqa: B023 - asked at once
                    roles.kill("ingest")
                    covered = {serial: (heard.last(serial) or (0, 0))[1] for serial in serials}
                    stored = numbers_stored(db)
                    assert all(stored[serial] >= {*range(1, upto + 1)} for serial, upto in covered.items() if upto)
                    roles.start("ingest")
            devices.flush()
            whole = MESSAGES // UNITS
            until(lambda: all(heard.last(serial) == (0, whole) for serial in serials), within=60)
        assert roles.stop("ingest") == 0
    assert db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"] == MESSAGES
    for serial in serials:
        own = [each.upto for each in heard.came if each.topic == f"m2m/v1/pump/{serial}/receipt"]
        assert own == sorted(own), "it never goes back"


def numbers_stored(db):
    """By serial; a message's value is its number."""
    rows = db.execute(
        "SELECT u.serial, array_agg(value) AS own FROM telemetry JOIN unit u ON u.id = unit_id GROUP BY 1"
    )
    return {row["serial"]: set(row["own"]) for row in rows}
