"""How fast device-sim sends with thousands of connections, compared with as many paho clients, in the same run.

For device-sim script, connections and log are measured; for paho only publishing and acknowledgements.
"""

import argparse
import json
import os
import resource
import select
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from bench.setup import mosquitto
from device_sim import cli
from gateway.core.errors import GatewayError

PRODUCTS = ("hp-90", "rm-500", "ac-24")
WINDOW = 2_000
PAYLOAD = (
    b'{"ts":1767225600000,"values":{"water_pressure_bar":1.5,"flow_temp_c":41.2,"outdoor_temp_c":3.1,"power_kw":1.9}}'
)


@dataclass(frozen=True, slots=True)
class Result:
    """The printed result; CPU times are user and system time of the sending process only."""

    messages_per_s: float
    wanted_per_s: float
    devices: int
    connected: int
    messages: int
    unanswered: int
    acknowledged_after_ms_p50: float
    acknowledged_after_ms_p99: float
    cpu_us_per_message: float
    paho_messages_per_s: float
    paho_cpu_us_per_message: float
    cpu_ratio_to_paho: float
    load_average_before: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark. Exits with 1 when the broker did not acknowledge every message."""
    parser = argparse.ArgumentParser(prog="bench.simulator", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--devices", type=int, default=10_000, help="default %(default)s")
    parser.add_argument("--rate", type=int, default=20_000, help="messages a second (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=30, help="default %(default)s")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
            result = measure(Path(name), broker.port, options.devices, options.rate, options.seconds)
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    print(json.dumps(asdict(result)) if options.json else "\n".join(f"{k:28} {v}" for k, v in asdict(result).items()))
    sys.exit(1 if result.unanswered else 0)


def measure(folder: Path, port: int, devices: int, rate: int, seconds: int) -> Result:
    """Measure first paho, then the simulator, with the same broker."""
    load = os.getloadavg()[0]
    paho_rate, paho_cpu = paho(port, devices, min(seconds, 10))
    units = folder / "units.csv"
    rows = (f"{PRODUCTS[number % 3]},BENCH-{number:06}\n" for number in range(devices))
    units.write_text("product,serial\n" + "".join(rows))
    scenario = folder / "load.yaml"
    every = max(round(1_000 * devices / rate), 1)
    scenario.write_text(f"name: load\nabout: Load.\nevery: {every}ms\nvalues: held\nduration: {seconds}s\n")
    run_folder = folder / "run"
    cpu = time.process_time()
    cli.main(
        [
            "run",
            str(scenario),
            "--units",
            str(units),
            "--mqtt",
            f"mqtt://127.0.0.1:{port}",
            "--out",
            str(run_folder),
            "--quiet",
        ]
    )
    cpu = time.process_time() - cpu
    run: dict[str, Any] = json.loads((run_folder / "run.json").read_bytes())
    counts, delays_ms = run["counts"], run["acknowledged_after_ms"]
    per_message = 1e6 * cpu / counts["acknowledged"]
    return Result(
        messages_per_s=round(counts["acknowledged"] / run["elapsed_s"], 1),
        wanted_per_s=round(1_000 * devices / every, 1),
        devices=devices,
        connected=counts["connections"] - counts["lost"],
        messages=counts["published"],
        unanswered=counts["unanswered"],
        acknowledged_after_ms_p50=round(delays_ms["p50"], 2),
        acknowledged_after_ms_p99=round(delays_ms["p99"], 2),
        cpu_us_per_message=round(per_message, 1),
        paho_messages_per_s=round(paho_rate, 1),
        paho_cpu_us_per_message=round(paho_cpu, 1),
        cpu_ratio_to_paho=round(per_message / paho_cpu, 3),
        load_average_before=round(load, 2),
    )


def paho(port: int, devices: int, seconds: int) -> tuple[float, float]:
    """Run paho clients on one epoll loop. Returns messages a second, and CPU microseconds a message."""
    files = devices + 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    ready_clients: deque[tuple[Client, str]] = deque()
    acknowledged = connected = 0

    def on_connect(client: Client, topic: str, *_: object) -> None:
        nonlocal connected
        connected += 1
        ready_clients.append((client, topic))

    def on_publish(client: Client, topic: str, *_: object) -> None:
        nonlocal acknowledged
        acknowledged += 1
        ready_clients.append((client, topic))

    clients: dict[int, Client] = {}
    with select.epoll() as epoll:
        for number in range(devices):
            client = Client(CallbackAPIVersion.VERSION2, f"paho-{number}", protocol=MQTTProtocolVersion.MQTTv5)
            client.user_data_set(f"m2m/v1/hp-90/PAHO-{number:06}/telemetry")
            client.max_inflight_messages_set(0)
            client.on_connect, client.on_publish = on_connect, on_publish
            client.connect("127.0.0.1", port, 600)
            sock: Any = client.socket()
            clients[sock.fileno()] = client
            epoll.register(sock.fileno(), select.EPOLLIN)
            if number % 200 == 0:
                _read(epoll, clients, 0.0)
        while connected < devices:
            _read(epoll, clients, 1.0)
        began, cpu, sent = time.perf_counter(), time.process_time(), 0
        while (took := time.perf_counter() - began) < seconds:
            while ready_clients and sent - acknowledged < WINDOW:
                client, topic = ready_clients.popleft()
                client.publish(topic, PAYLOAD, qos=1)
                sent += 1
            _read(epoll, clients, 0.05)
        cpu = time.process_time() - cpu
        for client in clients.values():
            client.disconnect()
    return acknowledged / took, 1e6 * cpu / acknowledged


def _read(epoll: select.epoll, clients: dict[int, Client], timeout: float) -> None:
    for number, _ in epoll.poll(timeout, 1_000):
        clients[number].loop_read()


if __name__ == "__main__":
    main()
