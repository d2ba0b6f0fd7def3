"""The setup of benchmarks: Debian's Mosquitto, the embedded PostgreSQL, a fleet with rules, a preloaded backlog."""

import os
import resource
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from bench.backlog import Backlog, serial
from gateway.core.errors import Unavailable
from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.imports.service import apply_rules, import_files
from gateway.m2m.topics import TELEMETRY_FILTER
from gateway.roles.process import free_port, spawn, stop
from gateway.store import connect
from gateway.store.migrate import migrate

WINDOW = 5_000
"""The most unacknowledged messages, the same for all measured programs."""
VALUES = 3
"""The number of values in each message."""
WAIT_S = 30
TICK_S = 0.005
"""Messages of this time are published in one burst, since a wake-up costs more than a message."""

_PRODUCT = """
code: bench
name: {en: Bench}
model: B 1
brand: Brenhold
metrics:
  - {name: number, title: {en: Number}, unit: "1", range: [0, 1000000000], cadence: 1s}
  - {name: temp_c, title: {en: Temperature}, unit: °C, range: [-40, 1000], cadence: 1s}
  - {name: pressure_bar, title: {en: Pressure}, unit: bar, range: [0, 1000], cadence: 1s}
"""
_RULE = """---
id: bench-%(number)d
title: {en: Bench}
product: bench
condition: {kind: threshold, metric: %(metric)s, unit: %(unit)s, %(limits)s}
for: %(for)s
severity: warning
audience: [owner, support]
text:
  en: {title: "Hot", body: "It is {value} {unit}.", action: "Let it cool."}
tests:
  - {name: fires, every: 1s, series: {%(metric)s: "20x3 999x9"}, expect: [{raised_at: %(raised)s}]}
  - {name: silent, every: 1s, series: {%(metric)s: "20x5"}, expect: []}
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """Debian's Mosquitto."""

    port: int
    pid: int


@contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[Broker]:
    """Run Mosquitto with the limits that the gateway needs, and these lines; its saved messages stay in the folder."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise Unavailable("Mosquitto is missing; install it with: apt-get install mosquitto")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\n"
        f"max_inflight_messages {WINDOW}\nmax_queued_messages 0\nlog_type error\n"
        + "".join(f"{line}\n" for line in lines)
    )
    with (folder / "mosquitto.log").open("wb") as log:
        process = spawn([program, "-c", str(config)], death_signal=signal.SIGTERM, stdout=log)
    try:
        deadline = time.monotonic() + WAIT_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"Mosquitto did not start: {(folder / 'mosquitto.log').read_text().strip()}")
            time.sleep(0.02)
        yield Broker(port, process.pid)
    finally:
        stop(process, signal.SIGTERM, WAIT_S)


@contextmanager
def database() -> Iterator[str]:
    """Run the embedded PostgreSQL with this version's schema; yields its URL."""
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as name:
        Path(name).chmod(0o755)  # if we are root, the server's account must be able to enter it
        with EmbeddedPostgres(Path(name)) as postgres:
            migrate(postgres.url)
            yield postgres.url


def make_fleet(url: str, folder: Path, units: int, rules: int) -> None:
    """Make one product with three metrics, its units, and active threshold rules."""
    (product := folder / "bench.yaml").write_text(_PRODUCT)
    import_files(url, "products", [product], actor="bench")
    (rows := folder / "units.csv").write_text(
        "product,serial\n" + "".join(f"bench,{serial(unit)}\n" for unit in range(units))
    )
    import_files(url, "units", [rows], actor="bench")
    # Only the first rule's limit is ever crossed, as in a healthy fleet.
    documents = [_RULE % _shape(number) for number in range(rules)]
    (file := folder / "rules.yaml").write_text("".join(documents))
    if documents:
        apply_rules(url, [file], actor="bench")
    with connect(url, "bench") as db:
        db.execute("ANALYZE")  # as autovacuum does within a minute


def _shape(number: int) -> dict[str, object]:
    """One of several kinds of rules: above, outside a band, or with another limit to clear at; at once or after 5 s."""
    metric, unit = [("temp_c", "°C"), ("pressure_bar", "bar")][number % 2]
    limit = 90 if number == 0 else 100 + number
    limits = [
        f"above: {limit}",
        f"above: {limit}, below: 0.5",
        f"above: {limit}, clear_below: {limit - 5}",
    ][number % 3]
    lasts = number % 4 == 3
    return {
        "number": number,
        "metric": metric,
        "unit": unit,
        "limits": limits,
        "for": "5s" if lasts else "0s",
        "raised": "8s" if lasts else "3s",
    }


def subscriber(client_id: str) -> Client:
    """An MQTT 5 client, not connected yet."""
    return Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5)


def connect_durably(client: Client, port: int) -> None:
    """Connect to the client's durable session, which begins if there is none."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3_600
    properties.ReceiveMaximum = WINDOW
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)


def open_session(client_id: str, port: int) -> None:
    """Begin a durable session that subscribes to all telemetry, and disconnect, so that the broker queues messages."""
    client = subscriber(client_id)
    subscribed = threading.Event()
    options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
    client.on_connect = lambda *_: client.subscribe(TELEMETRY_FILTER, options=options) and None
    client.on_subscribe = lambda *_: subscribed.set()
    connect_durably(client, port)
    client.loop_start()
    answered = subscribed.wait(WAIT_S)
    client.disconnect()
    client.loop_stop()
    if not answered:
        raise Unavailable("The broker did not answer to a subscription.")


def left_in_session(client_id: str, port: int) -> int:
    """The number of messages that the broker holds for a durable session."""
    client = subscriber(client_id)
    received: list[int] = []
    client.on_message = lambda *_: received.append(1)
    connect_durably(client, port)
    client.loop_start()
    time.sleep(0.5)
    client.disconnect()
    client.loop_stop()
    return len(received)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum in milliseconds."""
    p50, p99, longest = (1000 * np.percentile(seconds, [50, 99, 100])).round(1).tolist()
    return {"p50_ms": p50, "p99_ms": p99, "max_ms": longest}


def max_rss_mb() -> float:
    """The most memory that this process had so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def publish(backlog: Backlog, port: int) -> None:
    """Publish the backlog in order, QoS 1, and wait until the broker has taken all of it."""
    with connected_client(port) as client:
        for number in range(backlog.first, backlog.messages):
            info = client.publish(backlog.topic(number), backlog.payload(number), qos=1)
            if number % WINDOW == 0 or number == backlog.messages - 1:  # paho queues at most 65,535
                _wait_until_taken(info)


def publish_paced(backlog: Backlog, port: int, per_s: float) -> dict[int, float]:
    """Publish the backlog at a steady rate. Returns when each message was due, by time.monotonic()."""
    due: dict[int, float] = {}
    with connected_client(port) as client:
        begun = time.monotonic()
        for number in range(backlog.first, backlog.messages):
            due[number] = begun + (number - backlog.first) / per_s
            if (ahead := due[number] - time.monotonic()) > 0:
                time.sleep(max(ahead, TICK_S))
            info = client.publish(backlog.topic(number), backlog.payload(number), qos=1)
        _wait_until_taken(info)
    return due


@contextmanager
def connected_client(port: int) -> Iterator[Client]:
    """One connection that publishes for all devices. Raises Unavailable if it was lost meanwhile.

    The broker chooses the client id: with a fixed one, a second client would end the connection of the first.
    """
    client = subscriber("")
    connected, lost = threading.Event(), threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_disconnect = lambda *_: lost.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait(WAIT_S)
    try:
        yield client
        if lost.is_set():
            raise Unavailable("The broker closed the connection of the load, which so was not the one asked for.")
    finally:
        client.disconnect()
        client.loop_stop()


def _wait_until_taken(info: MQTTMessageInfo) -> None:
    info.wait_for_publish(WAIT_S)
    if not info.is_published():
        raise Unavailable("The broker did not take the messages in time.")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
