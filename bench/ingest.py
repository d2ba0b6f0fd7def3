"""How fast the ingest role stores and judges, against a subscriber that only counts, in the same run.

Both read a backlog that the broker holds for their durable sessions, so that the publisher limits nobody.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage

from bench.setup import (
    VALUES,
    WAIT_S,
    WINDOW,
    Backlog,
    connect_durably,
    database,
    left_in_session,
    make_fleet,
    mosquitto,
    open_session,
    publish,
    serial,
    subscriber,
)
from gateway.core.errors import GatewayError, Unavailable
from gateway.embedded.process import spawn, stop
from gateway.store import Connection, connect

GATEWAY = "bench-gateway"
COUNTERS = ("bench-counter-1", "bench-counter-2")
"""One counts before the gateway runs and one after it: a machine that slows down meanwhile favours neither."""
SLOWEST_PER_S = 500
"""Slower than this, and what has not come counts as lost."""

_MISSING = """
SELECT count(*) AS moments,
       count(DISTINCT number) AS numbers,
       count(DISTINCT number) FILTER (WHERE parts = %s) AS whole,
       extract(epoch FROM min(first_at))::float8 AS first_at
  FROM (SELECT count(*) AS parts,
               min(t.received_at) AS first_at,
               max(t.value) FILTER (WHERE m.name = 'number') AS number
          FROM telemetry t JOIN metric m ON m.id = t.metric_id
         GROUP BY t.unit_id, t.time) AS moment
"""
_LAST = """
SELECT 1 FROM latest l JOIN unit u ON u.id = l.unit_id JOIN metric m ON m.id = l.metric_id
 WHERE u.serial = %s AND m.name = 'number' AND l.value = %s
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What is printed; rates are messages a second from the first received to the last counted or committed."""

    messages_per_s: float
    counting_subscriber_per_s: float
    ratio: float
    lost: int
    duplicated: int
    unacknowledged: int
    cpu_s_per_message: float
    counting_cpu_s_per_message: float
    messages: int
    values_per_message: int
    units: int
    rules: int
    alarms: int
    alarms_expected: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A counting subscriber's run."""

    seconds: float
    cpu_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it; exits 1 with one line where it cannot, and after the result where messages were lost or doubled."""
    parser = argparse.ArgumentParser(prog="bench.ingest", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--messages", type=int, default=100_000, help="each of three values (default %(default)s)")
    parser.add_argument("--rules", type=int, default=50, help="active threshold rules (default %(default)s)")
    parser.add_argument("--units", type=int, default=1_000, help="units that send (default %(default)s)")
    given = parser.parse_args(arguments)
    if given.messages < 2 or given.units < 1 or given.rules < 0:
        parser.error("two messages and one unit are the least")
    try:
        result = measure(given.messages, given.rules, given.units)
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    if given.json:
        print(json.dumps(asdict(result)))
    else:
        print("\n".join(f"{name:28} {value}" for name, value in asdict(result).items()))
    sound = not (result.lost or result.duplicated or result.unacknowledged or result.alarms != result.alarms_expected)
    sys.exit(0 if sound else 1)


def measure(messages: int, rules: int, units: int) -> Result:
    """Set everything up, preload the sessions, and let one consumer after the other read."""
    backlog = Backlog(messages, units, start_ms=round(time.time() * 1000) - 600_000)
    with tempfile.TemporaryDirectory() as name, mosquitto(folder := Path(name)) as port, database() as url:
        _say(f"{units} units, {rules} rules")
        make_fleet(url, folder, units, rules)
        for client_id in (GATEWAY, *COUNTERS):
            open_session(client_id, port)
        _say(f"publishing {messages} messages")
        publish(backlog, port)
        _say("counting, ingesting, counting")
        before = count(COUNTERS[0], port, messages)
        with connect(url, "bench") as db:
            last_at, cpu_s = run_gateway(url, port, folder, db, backlog)
            found = _one(db, _MISSING, [VALUES])
            alarms = _one(db, "SELECT count(*) AS n FROM alarm")["n"]
        left = left_in_session(GATEWAY, port)
        after = count(COUNTERS[1], port, messages)
    rate = found["whole"] / (last_at - found["first_at"]) if found["whole"] else 0.0
    counting = 2 * messages / (before.seconds + after.seconds)
    return Result(
        messages_per_s=round(rate, 1),
        counting_subscriber_per_s=round(counting, 1),
        ratio=round(rate / counting, 3),
        lost=messages - found["whole"],
        duplicated=found["moments"] - found["numbers"],
        unacknowledged=left,
        cpu_s_per_message=round(cpu_s / messages, 8),
        counting_cpu_s_per_message=round((before.cpu_s + after.cpu_s) / 2 / messages, 8),
        messages=messages,
        values_per_message=VALUES,
        units=units,
        rules=rules,
        alarms=alarms,
        alarms_expected=backlog.alarms(rules),
    )


def count(client_id: str, port: int, messages: int) -> Counted:
    """Read a whole backlog with paho's own loop, counting only."""
    counter = _Counter(messages)
    client = subscriber(client_id)
    client.on_message = counter.on_message
    cpu = time.process_time()
    connect_durably(client, port)
    client.loop_start()  # this process only waits meanwhile
    all_came = counter.done.wait(WAIT_S + messages / SLOWEST_PER_S)
    cpu_s = time.process_time() - cpu
    client.disconnect()
    client.loop_stop()
    if not all_came:
        raise Unavailable(f"The counting subscriber got {counter.count} of {messages} messages.")
    return Counted(counter.last_at - counter.first_at, cpu_s)


class _Counter:
    def __init__(self, messages: int) -> None:
        self.count = 0
        self.first_at = self.last_at = 0.0
        self.done = threading.Event()
        self._messages = messages

    def on_message(self, _client: Client, _data: object, _message: MQTTMessage) -> None:
        if self.count == 0:
            self.first_at = time.perf_counter()
        self.count += 1
        if self.count == self._messages:
            self.last_at = time.perf_counter()
            self.done.set()


def run_gateway(url: str, port: int, folder: Path, db: Connection, backlog: Backlog) -> tuple[float, float]:
    """Run the ingest role until its last message is committed: when that was, and its CPU time since it connected."""
    env = os.environ | {
        "GATEWAY_DATABASE_URL": url,
        "GATEWAY_MQTT_URL": f"mqtt://127.0.0.1:{port}",
        "GATEWAY_MQTT_CLIENT_ID": GATEWAY,
        "GATEWAY_MQTT_RECEIVE_MAXIMUM": str(WINDOW),
    }
    log = folder / "ingest.log"
    with log.open("wb") as out:
        process = spawn(
            [sys.executable, "-m", "gateway", "serve", "--role", "ingest"],
            death_signal=signal.SIGKILL,
            env=env,
            stdout=out,
        )
    try:
        _wait(lambda: "Connected to the broker" in log.read_text(), process, log, WAIT_S, pause=0.005)
        cpu = _cpu_s(process.pid)
        last = backlog.messages - 1
        _wait(
            lambda: db.execute(_LAST, [serial(last % backlog.units), last]).fetchone() is not None,
            process,
            log,
            WAIT_S + backlog.messages / SLOWEST_PER_S,
            pause=0.01,
        )
        return time.time(), _cpu_s(process.pid) - cpu
    finally:
        stop(process, signal.SIGTERM, WAIT_S)


def _wait(
    happened: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, within: float, *, pause: float
) -> None:
    """Wait for it; at the deadline go on, so that what did not come is counted as lost."""
    deadline = time.monotonic() + within
    while not happened() and time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable("The ingest role ended: " + " ".join(log.read_text().splitlines()[-1:]))
        time.sleep(pause)


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _one(db: Connection, query: str, parameters: Sequence[object] = ()) -> dict[str, Any]:
    row = db.execute(query, parameters).fetchone()
    return dict(row or {})


def _say(text: str) -> None:
    print(f"bench: {text}…", file=sys.stderr)


if __name__ == "__main__":
    main()
