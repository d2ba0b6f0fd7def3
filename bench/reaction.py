"""How long it takes from a decisive reading to an event on its owner's stream, while the fleet goes on sending."""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import history
from bench.backlog import serial, telemetry_topic
from bench.roles import Role, running
from bench.setup import (
    WAIT_S,
    WINDOW,
    Broker,
    connected_client,
    database,
    make_fleet,
    mosquitto,
    percentiles,
)
from gateway.accounts.service import create, open_session
from gateway.core.clock import system_clock
from gateway.core.errors import GatewayError, Unavailable
from gateway.demo.visitor import EventStream, VisitFailed, Visitor
from gateway.imports.service import import_files
from gateway.roles.process import free_port, spawn, stop
from gateway.store import Connection, connect

OWNER = "owner@example.org"
OWNED = 100
"""The number of the owner's units, which raise alarms in turn; each alarm clears after half a round.

A round must last longer than the slowest reaction: an alarm that is raised before the last one is seen to be cleared
joins its notice, and counts as untold.
"""
WARM_UP_S = 2
BACKGROUND_SHARE_MIN = 0.9
"""The least share of the background messages that must be stored; with fewer the result is not valid."""
HOT, WELL = 95, 20

_STORED = """
SELECT count(*) AS n FROM telemetry t JOIN metric m ON m.id = t.metric_id
 WHERE m.name = 'number' AND t.received_at BETWEEN to_timestamp(%s) AND to_timestamp(%s)
"""


@dataclass(frozen=True, slots=True)
class Result:
    """The printed result; times are from when a reading is due to be published until its event was read."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    """These are for `notice.told`, when the notice is in the owner's feed."""
    samples: int
    untold: int
    alarm: dict[str, float]
    """The same for `alarm.raised`, which is the first event."""
    background_per_s: float
    units: int
    rules: int
    history_rows: int
    """The number of stored readings of earlier days."""
    cpus: int | None
    load_average: float
    """The load average of the last minute at the start: the load by other programs."""


class Stopwatch:
    """The times of decisive readings by unit, and the delays until their events."""

    def __init__(self) -> None:
        self.due: dict[str, float] = {}
        self.delays: dict[str, list[float]] = {"alarm.raised": [], "notice.told": []}

    def on_event(self, kind: str, unit: str | None) -> None:
        """Record an event of the stream."""
        if kind in self.delays and unit in self.due:
            self.delays[kind].append(time.monotonic() - self.due[unit])
        if kind == "notice.told" and unit is not None:
            self.due.pop(unit, None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark. Exits with 1 when it cannot run, and when the result is not valid."""
    parser = argparse.ArgumentParser(prog="bench.reaction", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--samples", type=int, default=200, help="decisive readings (default %(default)s)")
    parser.add_argument("--per-s", type=int, default=10, help="of them a second (default %(default)s)")
    parser.add_argument("--background", type=int, default=2_000, help="other messages a second (default %(default)s)")
    parser.add_argument("--units", type=int, default=5_000, help="that send them (default %(default)s)")
    parser.add_argument("--rules", type=int, default=50, help="active rules (default %(default)s)")
    history.add_arguments(parser)
    options = parser.parse_args(arguments)
    history_size = history.read_size(options, parser)
    if min(options.samples, options.per_s, options.background, options.units, options.rules) < 1:
        parser.error("one of each is the least")
    try:
        result = measure(options.samples, options.per_s, options.background, options.units, options.rules, history_size)
    except (GatewayError, VisitFailed) as error:
        sys.exit(f"bench: {error}")
    if options.json:
        print(json.dumps(asdict(result)))
    else:
        print("\n".join(f"{name:20} {value}" for name, value in asdict(result).items()))
    stored_per_s = result.background_per_s
    if stored_per_s < BACKGROUND_SHARE_MIN * options.background:
        sys.exit(
            f"bench: Beside it {options.background} messages a second were asked for, but {stored_per_s} were stored."
        )
    sys.exit(1 if result.untold else 0)


def measure(
    samples: int, per_s: int, background: int, fleet: int, rules: int, history_size: history.HistorySize
) -> Result:
    """Set everything up, keep the background going, and publish readings that raise and clear alarms."""
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, mosquitto(folder := Path(name)) as broker, database() as url:
        make_fleet(url, folder, fleet + OWNED, rules)
        history_rows = history.fill(url, fleet + OWNED, history_size)
        with connect(url, "bench") as db:
            units, owner = _make_owner(db, url, folder, fleet)
            lasting = samples // per_s + 5 * WAIT_S
            with (
                _roles(url, broker, folder) as base,
                _background(broker, fleet, background, lasting, history_size.days),
            ):
                _warm_up(db, fleet / background + WARM_UP_S)
                owner.url = base
                watch = Stopwatch()
                begun = time.time()
                with _listening(owner, watch):
                    _publish(broker.port, watch, units, samples, per_s)
                    ended = time.time()
                    _wait_for_notices(watch, samples)
            stored = db.execute(_STORED, [begun, ended]).fetchone()
    told_delays = watch.delays["notice.told"]
    if not told_delays:
        raise Unavailable("The owner was told of nothing.")
    return Result(
        **percentiles(told_delays),
        samples=len(told_delays),
        untold=samples - len(told_delays),
        alarm=percentiles(watch.delays["alarm.raised"]),
        background_per_s=round(stored["n"] / (ended - begun), 1) if stored else 0.0,
        units=fleet + OWNED,
        rules=rules,
        history_rows=history_rows,
        cpus=os.cpu_count(),
        load_average=round(load_average, 2),
    )


def _make_owner(db: Connection, url: str, folder: Path, fleet: int) -> tuple[dict[str, str], Visitor]:
    """Give the owner an account, a session and the last of the units. Returns their serials by public id."""
    with db.transaction():
        account = create(db, OWNER, "Owner", "customer", system_clock())
        token = open_session(db, account, system_clock())
    serials = [serial(fleet + number) for number in range(OWNED)]
    (rows := folder / "owners.csv").write_text(
        "person,email,unit,since\n"
        + "".join(f"Owner,{OWNER},bench/{unit_serial},2024-01-01T00:00:00Z\n" for unit_serial in serials)
    )
    import_files(url, "owners", [rows], actor="bench")
    rows_of_units = db.execute("SELECT public_id, serial FROM unit WHERE serial = ANY(%s) ORDER BY serial", [serials])
    owner = Visitor("")
    owner.cookies["session"] = token
    return {row["public_id"]: row["serial"] for row in rows_of_units}, owner


@contextmanager
def _roles(url: str, broker: Broker, folder: Path) -> Iterator[str]:
    """Run the three roles until they are ready; yields the API's address."""
    port = free_port()
    settings = {
        "database_url": url,
        "mqtt_url": f"mqtt://127.0.0.1:{broker.port}",
        "mqtt_receive_maximum": WINDOW,
        "http_port": port,
        # One notice for each alarm, however many there are.
        "merge_window": "0s",
        "notices_per_hour": 1_000_000,
    }
    base = f"http://127.0.0.1:{port}"
    with (
        running("ingest", folder, **settings) as ingest,
        running("worker", folder, **settings),
        running("api", folder, **settings) as api,
    ):
        ingest.wait_until_connected()
        _wait_until_ready(api, base)
        yield base


def _wait_until_ready(api: Role, base: str) -> None:
    visitor = Visitor(base)

    def ready() -> bool:
        try:
            return bool(visitor.get("/readyz")["ready"])
        except VisitFailed:
            return False

    if not api.wait(ready, WAIT_S, pause=0.1):
        raise Unavailable("The roles did not get ready.")


@contextmanager
def _background(broker: Broker, units: int, per_s: int, seconds: int, history_days: int) -> Iterator[None]:
    arguments = {"port": broker.port, "units": units, "per-s": per_s, "seconds": seconds, "history-days": history_days}
    command_options = [f"--{name}={value}" for name, value in arguments.items()]
    process = spawn([sys.executable, "-m", "bench.background", *command_options], death_signal=signal.SIGKILL)
    try:
        yield
    finally:
        stop(process, signal.SIGTERM, WAIT_S)


def _warm_up(db: Connection, warm_up_s: float) -> None:
    """Wait until the gateway, which was just started, has looked up each unit."""
    deadline = time.monotonic() + WAIT_S
    began = time.time()
    while db.execute("SELECT FROM latest WHERE received_at > to_timestamp(%s) LIMIT 1", [began]).rowcount == 0:
        if time.monotonic() > deadline:
            raise Unavailable("Of the background nothing was stored.")
        time.sleep(0.05)
    time.sleep(min(warm_up_s, WAIT_S))


@contextmanager
def _listening(owner: Visitor, watch: Stopwatch) -> Iterator[None]:
    """Open the owner's stream and read it in a thread."""
    with EventStream(owner, "/api/my/stream", WAIT_S) as stream:

        def read() -> None:
            for event in stream.events():
                watch.on_event(event.get("kind", ""), event.get("unit"))

        thread = threading.Thread(target=read, name="stream")
        thread.start()
        try:
            yield
        finally:
            stream.end()
            thread.join()


def _publish(port: int, watch: Stopwatch, units: dict[str, str], samples: int, per_s: int) -> None:
    """Raise alarms at a steady rate, and clear each one after half a round of the units."""
    ids = list(units)
    half = len(ids) / per_s / 2
    raises = [(number / per_s, ids[number % len(ids)], HOT) for number in range(samples)]
    clears = [(after_s + half, unit, WELL) for after_s, unit, _ in raises]
    with connected_client(port) as client:
        begun = time.monotonic()
        for after_s, unit, temp_c in sorted(raises + clears):
            time.sleep(max(0.0, begun + after_s - time.monotonic()))
            if temp_c == HOT:
                watch.due[unit] = begun + after_s
            client.publish(telemetry_topic(units[unit]), json.dumps({"values": {"temp_c": temp_c}}), qos=1)


def _wait_for_notices(watch: Stopwatch, samples: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while len(watch.delays["notice.told"]) < samples and time.monotonic() < deadline:
        time.sleep(0.05)


if __name__ == "__main__":
    main()
