"""The slow proof of ingest: what is acknowledged is stored and judged exactly once, whatever dies in mid-stream."""

import random
import re
import threading
import time
from collections import Counter

from gateway.store import connect
from gateway.store.migrate import migrate
from tests.dsl.mqtt import Devices
from tests.dsl.postgres import own_database
from tests.dsl.roles import running_roles
from tests.dsl.wait import until
from tests.factories import apply_hot_rule, make_fleet

MESSAGES = 40_000
UNITS = tuple(f"P{number}" for number in range(20))
KILLS = 30
DATABASE_AWAY_S = 10
ALARMS = MESSAGES // 10
"""Every unit is hot in five of its messages and well in the next five, over and over."""


class Stream:
    """The fleet, publishing in a thread up to a goal that the test moves on.

    Every second unit leaves the time to the gateway, so that a message stored twice would be two readings.
    """

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._start = time.time() - 1000
        self._go = threading.Condition()
        self._goal = 0
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def up_to(self, goal: int) -> None:
        with self._go:
            self._goal = goal
            self._go.notify()

    def finish(self) -> None:
        self.up_to(MESSAGES)
        self._thread.join(120)
        assert not self._thread.is_alive()
        self._devices.flush()

    def _publish(self) -> None:
        for number in range(MESSAGES):
            with self._go:
                self._go.wait_for(lambda: self._goal > number)  # noqa: B023 - asked at once
            at = self._start + number / 1000 if number % 2 else None
            hot = number // len(UNITS) % 10 < 5
            self._devices.reading(UNITS[number % len(UNITS)], at, pressure_bar=number / 4000, temp_c=95 if hot else 20)


def test_thirty_kills_at_random_moments_lose_nothing_and_double_nothing(
    url, db, tmp_path, broker_port, seed, print_figure
):
    """In mid-stream (small batches make many such moments), between commit and acknowledgement, while it starts."""
    moments = random.Random(seed)
    make_fleet(url, UNITS, owners={})
    apply_hot_rule(url, tmp_path)
    began = time.monotonic()
    kinds: Counter[str] = Counter()
    with running_roles(url, broker_port, tmp_path, "ingest", batch_max_messages=100) as roles:
        until(lambda: "Connected to the broker" in roles.log("ingest"))
        with Devices(broker_port) as devices:
            stream = Stream(devices)
            for kill in range(1, KILLS + 1):
                goal = MESSAGES * kill // (KILLS + 1)
                stream.up_to(goal)
                kinds[kind := moments.choice(("at any moment", "in mid-stream", "right after a commit"))] += 1
                if kind == "at any moment":
                    time.sleep(moments.uniform(0, 2))
                else:
                    some = count(db) + moments.randrange(1, 900)
                    until(lambda: count(db) >= min(some, goal), within=60)  # noqa: B023 - asked at once
                    if kind == "in mid-stream":
                        time.sleep(moments.uniform(0, 0.02))
                    else:
                        wait_for_a_commit(db)
                roles.kill("ingest")
                roles.start("ingest")
            stream.finish()
            until(lambda: count(db) >= MESSAGES, within=180, what="every message is stored")
        assert roles.stop("ingest") == 0
    again = redelivered(roles.log("ingest"))
    print_figure(
        f"{time.monotonic() - began:.0f} s, {KILLS} kills ({', '.join(f'{n} {kind}' for kind, n in kinds.items())}),"
        f" {sum(again)} messages came again, in {len(again)} batches"
    )
    assert_exactly_once(db)
    assert again, "it is no proof unless something really came again"


def test_a_database_that_is_away_for_ten_seconds_loses_nothing_and_doubles_nothing(tmp_path, broker_port, print_figure):
    """The ingest role keeps running: it acknowledges nothing meanwhile, and the broker holds what comes."""
    with own_database() as postgres, connect(postgres.url) as before:
        migrate(postgres.url)
        make_fleet(postgres.url, UNITS, owners={})
        apply_hot_rule(postgres.url, tmp_path)
        began = time.monotonic()
        with running_roles(postgres.url, broker_port, tmp_path, "ingest") as roles, Devices(broker_port) as devices:
            until(lambda: "Connected to the broker" in roles.log("ingest"))
            stream = Stream(devices)
            stream.up_to(MESSAGES // 2)
            until(lambda: count(before) > MESSAGES // 8, within=60)
            postgres.stop()
            stream.up_to(MESSAGES * 3 // 4)
            time.sleep(DATABASE_AWAY_S)
            postgres.start()
            back = time.monotonic()
            with connect(postgres.url) as db:
                at_return = count(db)
                until(lambda: count(db) > at_return, within=30, what="it stores again")
                stored_again = time.monotonic() - back
                stream.finish()
                until(lambda: count(db) >= MESSAGES, within=120, what="every message is stored")
                assert roles.stop("ingest") == 0
                print_figure(
                    f"{time.monotonic() - began:.0f} s, stopped at {at_return} messages, storing again"
                    f" {stored_again:.1f} s after the return, {sum(redelivered(roles.log('ingest')))} redelivered"
                )
                assert_exactly_once(db)
    assert "Ingest waits for the database, nothing is acknowledged" in roles.log("ingest")


def count(db):
    return db.execute("SELECT count(*) AS n FROM telemetry").fetchone()["n"] // 2


def wait_for_a_commit(db) -> None:
    """Until the next batch is committed, or a second of none: what is killed now has not acknowledged it yet."""
    # Without a pause, for the acknowledgements follow within a few milliseconds.
    query = "SELECT max(seq) AS n FROM ingest_journal"
    seq, deadline = db.execute(query).fetchone()["n"], time.monotonic() + 1
    while db.execute(query).fetchone()["n"] == seq and time.monotonic() < deadline:
        pass


def redelivered(log: str) -> list[int]:
    return [int(found) for found in re.findall(r"(\d+) redelivered messages known again", log)]


def assert_exactly_once(db) -> None:
    def one(query):
        return db.execute(query).fetchone()["n"]

    numbers = db.execute(
        "SELECT round(value * 4000)::int AS number FROM telemetry t JOIN metric m ON m.id = t.metric_id"
        " WHERE m.name = 'pressure_bar' ORDER BY 1"
    ).fetchall()
    assert [row["number"] for row in numbers] == list(range(MESSAGES))
    assert one("SELECT count(*) AS n FROM telemetry") == 2 * MESSAGES
    assert one("SELECT count(*) AS n FROM telemetry WHERE late") == 0
    assert one("SELECT count(*) AS n FROM quarantine") == 0
    assert one("SELECT count(*) AS n FROM conflicting_reading") == 0
    assert one("SELECT count(*) AS n FROM alarm") == ALARMS
    assert one("SELECT count(*) AS n FROM event WHERE kind = 'alarm.raised'") == ALARMS
    assert one("SELECT count(*) AS n FROM event WHERE kind = 'alarm.cleared'") == ALARMS
