"""How many acknowledged messages Mosquitto loses, and how fast it is, by the setting of its persistence.

Devices publish with QoS 1 while the subscriber is away, as when ingest is stopped. The broker is ended in mid-stream,
and once more at rest, and started again; then the subscriber connects and counts its messages. The rate is measured
separately, with a subscriber that acknowledges at once, in rounds of all settings; the ratio is the rounds' median.
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
"""When Mosquitto saves its messages; 1800 s is its default with persistence."""
SIGTERM, KILL, AT_REST = "SIGTERM", "kill -9", "kill -9 at rest"
DEVICES = 50
IN_FLIGHT = 100
_SESSION = "bench-away"
_REST_S = 1.0
_QUIET_S = 3.0
"""After this time without a message there are no more: long, since a slow broker must not look like one that loses."""
_PUMP_S = 0.01


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one setting: messages acknowledged and lost, by how the broker ended."""

    saved: str
    acknowledged: dict[str, int]
    lost: dict[str, int]
    messages_per_s: float
    ratio: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark. Exits with 1 and one line when it cannot run."""
    parser = argparse.ArgumentParser(prog="bench.broker", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=3, help="of publishing each time (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of measuring the rates (default %(default)s)")
    parser.add_argument("--saved", action="append", choices=SETTINGS, help="only this, beside `off` (default: all)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("one round is the least")
    load = os.getloadavg()[0]
    settings = [saved for saved in SETTINGS if saved == "off" or saved in (options.saved or SETTINGS)]
    try:
        rates = [{saved: rate(saved, options.seconds) for saved in settings} for _ in range(options.rounds)]
        rows = [_row(saved, rates, options.seconds) for saved in settings]
    except (GatewayError, SimError) as error:
        sys.exit(f"bench: {error}")
    result = {"rows": [asdict(row) for row in rows], "load_average_before": round(load, 2)}
    print(json.dumps(result) if options.json else "\n".join(map(str, rows)))


def _row(saved: str, rates: Sequence[dict[str, float]], seconds: float) -> Row:
    losses = {ended_by: loss(saved, ended_by, seconds) for ended_by in (SIGTERM, KILL, AT_REST)}
    return Row(
        saved,
        acknowledged={ended_by: acknowledged for ended_by, (acknowledged, _) in losses.items()},
        lost={ended_by: lost for ended_by, (_, lost) in losses.items()},
        messages_per_s=round(statistics.median(rates_of_round[saved] for rates_of_round in rates), 1),
        ratio=round(statistics.median(rates_of_round[saved] / rates_of_round["off"] for rates_of_round in rates), 3),
    )


def rate(saved: str, seconds: float) -> float:
    """Messages a second that the broker acknowledges while a subscriber acknowledges them at once."""
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
    """Returns how many messages were acknowledged before the end, and how many of these were lost."""
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
            received = held(running.port)
    return len(devices.acknowledged), len(devices.acknowledged - received)


def held(port: int) -> set[int]:
    """The numbers of the messages that the durable session gets."""
    received: set[int] = set()
    connected = threading.Event()
    latest = 0.0

    def on_message(_client: object, _data: object, message: Any) -> None:  # noqa: ANN401 - paho's own
        nonlocal latest
        latest = time.monotonic()
        received.add(int(message.payload))

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
    return received


def _wait(happened: threading.Event, description: str) -> None:
    if not happened.wait(WAIT_S):
        raise Unavailable(f"The broker did not {description} in time.")


@contextmanager
def broker(folder: Path, saved: str) -> Iterator[Broker]:
    """Run Mosquitto with this setting; it saves messages in the folder."""
    with mosquitto(folder, "user root", f"persistence_location {folder}/", *SETTINGS[saved]) as running:
        yield running


class Devices:
    """Devices that publish numbers without a pause, and store which ones the broker acknowledged."""

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
        """Publish for some time; the last messages are not acknowledged yet then."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            while self._swarm.outstanding < IN_FLIGHT:
                self._number += 1
                device, payload = self._number % DEVICES, b"%d" % self._number
                topic = self._units[device].topic
                self._swarm.publish(Sending(0, device, topic, payload, None, b"", "reading", number=self._number))
            self._swarm.pump(_PUMP_S)

    def wait(self) -> None:
        """Wait for the broker's last answers."""
        deadline = time.monotonic() + _REST_S
        while time.monotonic() < deadline:
            self._swarm.pump(_PUMP_S)

    def leave(self) -> None:
        """Disconnect."""
        self._swarm.close()


if __name__ == "__main__":
    main()
