"""What Mosquitto loses of what it has acknowledged, and what keeping it costs, by the setting of its persistence.

Devices publish with QoS 1 while the subscriber is away, as ingest is when it is stopped. In mid-stream, and once more
at rest, the broker is ended, and started again; then the subscriber comes and counts what it gets. The rate is measured
apart, with a subscriber that takes all at once, in rounds of all settings; the ratio is the median of the rounds.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.setup import WAIT_S, Broker, connect_durably, mosquitto, open_session, serial, subscriber
from device_sim.errors import SimError
from device_sim.link import parse_broker
from device_sim.run.sending import Sending
from device_sim.run.swarm import Swarm
from device_sim.units import Unit
from gateway.core.errors import GatewayError, Unavailable
from gateway.m2m.topics import TELEMETRY_FILTER

SETTINGS = {
    "off": ("persistence false",),
    "every 1800 s": ("persistence true", "autosave_interval 1800"),
    "every 1 s": ("persistence true", "autosave_interval 1"),
    "each change": ("persistence true", "autosave_on_changes true", "autosave_interval 1"),
}
"""When Mosquitto saves what it holds; 1800 s is its default where persistence is on."""
SIGTERM, KILL, AT_REST = "SIGTERM", "kill -9", "kill -9 at rest"
DEVICES = 50
IN_FLIGHT = 100
_SESSION = "bench-away"
_REST_S = 1.0
_QUIET_S = 3.0
"""Without a message so long, and there is none left: a busy machine must not look like a broker that loses."""
_PUMP_S = 0.01


@dataclass(frozen=True, slots=True)
class Row:
    """One setting; `lost` by how the broker ended, each with how many it had acknowledged."""

    saved: str
    acknowledged: dict[str, int]
    lost: dict[str, int]
    messages_per_s: float
    ratio: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it; exits 1 with one line where it cannot run."""
    parser = argparse.ArgumentParser(prog="bench.broker", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=3, help="of publishing each time (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of measuring the rates (default %(default)s)")
    parser.add_argument("--saved", action="append", choices=SETTINGS, help="only this, beside `off` (default: all)")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("one round is the least")
    load = os.getloadavg()[0]
    settings = [saved for saved in SETTINGS if saved == "off" or saved in (given.saved or SETTINGS)]
    try:
        rates = [{saved: rate(saved, given.seconds) for saved in settings} for _ in range(given.rounds)]
        rows = [_row(saved, rates, given.seconds) for saved in settings]
    except (GatewayError, SimError) as error:
        sys.exit(f"bench: {error}")
    result = {"rows": [asdict(row) for row in rows], "load_average_before": round(load, 2)}
    print(json.dumps(result) if given.json else "\n".join(map(str, rows)))


def _row(saved: str, rates: Sequence[dict[str, float]], seconds: float) -> Row:
    found = {ended_by: loss(saved, ended_by, seconds) for ended_by in (SIGTERM, KILL, AT_REST)}
    return Row(
        saved,
        acknowledged={ended_by: acknowledged for ended_by, (acknowledged, _) in found.items()},
        lost={ended_by: lost for ended_by, (_, lost) in found.items()},
        messages_per_s=round(statistics.median(each[saved] for each in rates), 1),
        ratio=round(statistics.median(each[saved] / each["off"] for each in rates), 3),
    )


def rate(saved: str, seconds: float) -> float:
    """Messages a second that the broker acknowledges while a subscriber takes them at once."""
    with tempfile.TemporaryDirectory() as name, broker(Path(name), saved) as running:
        reader, ready = subscriber("bench-reader"), threading.Event()
        reader.on_connect = lambda *_: reader.subscribe(TELEMETRY_FILTER, qos=1) and None
        reader.on_subscribe = lambda *_: ready.set()
        connect_durably(reader, running.port)
        reader.loop_start()
        _wait(ready, "give the subscriber its subscription")
        devices = Devices(running.port)
        began = time.monotonic()
        devices.publish(seconds)
        took = time.monotonic() - began
        devices.leave()
        reader.disconnect()
        reader.loop_stop()
    return len(devices.acknowledged) / took


def loss(saved: str, ended_by: str, seconds: float) -> tuple[int, int]:
    """How many messages were acknowledged before the end, and how many of them never come after it."""
    with tempfile.TemporaryDirectory() as name:
        with broker(Path(name), saved) as running:
            open_session(_SESSION, running.port)
            devices = Devices(running.port)
            devices.publish(seconds)
            if ended_by == AT_REST:
                devices.wait()
            os.kill(running.pid, signal.SIGTERM if ended_by == SIGTERM else signal.SIGKILL)
            devices.wait()
            devices.leave()
        with broker(Path(name), saved) as running:
            came = held(running.port)
    return len(devices.acknowledged), len(devices.acknowledged - came)


def held(port: int) -> set[int]:
    """The numbers of the messages that the session still gets."""
    came: set[int] = set()
    connected = threading.Event()
    latest = 0.0

    def on_message(_client: object, _data: object, message: Any) -> None:  # noqa: ANN401 - paho's own
        nonlocal latest
        latest = time.monotonic()
        came.add(int(message.payload))

    client = subscriber(_SESSION)
    client.on_message = on_message
    client.on_connect = lambda *_: connected.set()
    connect_durably(client, port)
    client.loop_start()
    _wait(connected, "take the subscriber back")
    latest = max(latest, time.monotonic())
    while time.monotonic() - latest < _QUIET_S:
        time.sleep(_QUIET_S / 10)
    client.disconnect()
    client.loop_stop()
    return came


def _wait(happened: threading.Event, what: str) -> None:
    if not happened.wait(WAIT_S):
        raise Unavailable(f"The broker did not {what} in time.")


@contextmanager
def broker(folder: Path, saved: str) -> Iterator[Broker]:
    """Mosquitto with this setting; what it saves stands in the folder."""
    with mosquitto(folder, "user root", f"persistence_location {folder}/", *SETTINGS[saved]) as running:
        yield running


class Devices:
    """They publish numbers, without a pause, and know which the broker acknowledged."""

    def __init__(self, port: int) -> None:
        self.acknowledged: set[int] = set()
        self._number = 0
        self._units = [Unit("bench", serial(number)) for number in range(DEVICES)]
        self._swarm = Swarm(
            parse_broker(f"mqtt://127.0.0.1:{port}"),
            5,
            [(unit.serial, unit) for unit in self._units],
            time.monotonic,
            lambda sending: self.acknowledged.add(sending.number),
            lambda _: None,
        )
        deadline = time.monotonic() + WAIT_S
        for index in range(DEVICES):
            self._swarm.up(index)
        while self._swarm.counts.connected < DEVICES:
            if time.monotonic() > deadline:
                raise Unavailable("The broker did not take all connections in time.")
            self._swarm.pump(_PUMP_S)

    def publish(self, seconds: float) -> None:
        """So long; the last ones are still on their way then."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            while self._swarm.outstanding < IN_FLIGHT:
                self._number += 1
                device, payload = self._number % DEVICES, b"%d" % self._number
                topic = self._units[device].topic
                self._swarm.publish(Sending(0, device, topic, payload, None, b"", "reading", number=self._number))
            self._swarm.pump(_PUMP_S)

    def wait(self) -> None:
        """Until the broker has said its last."""
        deadline = time.monotonic() + _REST_S
        while time.monotonic() < deadline:
            self._swarm.pump(_PUMP_S)

    def leave(self) -> None:
        """Disconnect."""
        self._swarm.close()


if __name__ == "__main__":
    main()
