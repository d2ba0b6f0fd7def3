"""The simulator against a real broker: what it says it sent arrives, faults obey, a broker that dies costs nothing."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt import publish
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from device_sim import cli
from tests.dsl.ports import free_port
from tests.dsl.wait import until

UNITS = Path(__file__).parents[2] / "gateway/demo/data/units.csv"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
SIM = [sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"]
PUMP = "hp-90/HP90-23-001256"
PRESS = "ac-24/AC24-23-002242"


class Mosquitto:
    """Debian's broker on a port of its own, to start and to kill."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.config = folder / "mosquitto.conf"
        self.config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", self.config], stderr=subprocess.DEVNULL)
        until(self.answers)

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def broker(tmp_path):
    if MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is missing: apt-get install mosquitto")
        pytest.skip("mosquitto is not installed")
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@contextmanager
def listening(broker, end="telemetry"):
    """The messages of all units, as (topic, decoded payload), while the block runs."""
    messages, ready = [], []
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _c, _u, message: messages.append((message.topic, json.loads(message.payload)))
    client.on_subscribe = lambda *_: ready.append(True)
    client.connect("127.0.0.1", broker.port)
    client.subscribe(f"m2m/v1/+/+/{end}", qos=1)
    client.loop_start()
    until(lambda: ready)
    try:
        yield messages
    finally:
        client.disconnect()
        client.loop_stop()


@contextmanager
def running(*arguments, command=SIM):
    """A simulator in the background; killed if the test forgets it."""
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def sim(*arguments):
    return subprocess.run([*SIM, *arguments], check=False, capture_output=True, text=True, timeout=20)


def values_of(messages, unit, metric):
    return [message["values"][metric] for topic, message in list(messages) if topic == f"m2m/v1/{unit}/telemetry"]


def series(path, rows):
    """A file with a clock that steps back once and stamps that come twice, like the real ones."""
    times = [1_386_018_900 + 300 * row - (3_000 if row > rows // 2 else 0) for row in range(rows)]
    lines = [f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at))},{70 + at % 977 / 7}\n" for at in times]
    path.write_text("timestamp,value\n" + "".join(lines))
    return times


def test_a_fleet_publishes_every_unit_with_the_wall_clock_and_stops_clean_on_sigterm(broker):
    with listening(broker) as messages, running(
        "fleet", "--units", UNITS, "--mqtt", broker.url, "--every", "1s", "--quiet"
    ) as fleet:  # fmt: skip
        until(lambda: len({topic for topic, _ in messages}) == 200)
        assert all(abs(message["ts"] / 1_000 - time.time()) < 10 for _, message in messages)
        fleet.send_signal(signal.SIGTERM)
        assert fleet.wait(10) == 0
        last = fleet.stderr.read().splitlines()[-1]
        until(lambda: f"published {len(messages):,}, acknowledged {len(messages):,}" in last)


def test_a_fault_on_command_raises_and_ends_and_is_written_down(broker, tmp_path, capsys):
    def command(*arguments):
        code = cli.main(["fault", "--control", str(control), *arguments])
        return code, "".join(capsys.readouterr())

    control, truth = tmp_path / "fleet.sock", tmp_path / "truth.jsonl"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(control))  # what a fleet that was killed leaves behind
    with listening(broker) as messages, running(
        "fleet", "--units", UNITS, "--mqtt", broker.url, "--every", "250ms", "--only", PUMP,
        "--control", control, "--truth", truth,
    ) as fleet:  # fmt: skip
        until(lambda: messages)
        assert stat.S_IMODE(control.stat().st_mode) == 0o600
        assert command(PUMP, "pressure-loss", "--for", "60s")[0] == 0
        until(lambda: values_of(messages, PUMP, "water_pressure_bar")[-1] < 0.9)
        assert f"{PUMP} pressure-loss since" in command("--list")[1]
        assert f"did you mean {PUMP}" in command("HP90-23-001256", "--end")[1]
        assert "there are: pressure-loss" in command(PUMP, "leak")[1]
        assert command(PUMP, "--end") == (0, f"{PUMP}: pressure-loss ended\n")
        until(lambda: values_of(messages, PUMP, "water_pressure_bar")[-1] > 1.2)
        assert command(PUMP, "silence")[0] == 0
        fleet.send_signal(signal.SIGINT)
        assert fleet.wait(10) == 0
    assert not control.exists()
    lines = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [(line["unit"], line["fault"], line["to"] is None) for line in lines] == [
        (PUMP, "pressure-loss", True), (PUMP, "pressure-loss", False), (PUMP, "silence", True), (PUMP, "silence", False)
    ]  # fmt: skip


MARK = "m2m/v1/-/-/status"


def retained(broker):
    """What stands on the status topics, by unit: it comes before what is published behind the subscription."""
    with listening(broker, "status") as messages:
        publish.single(MARK, b"{}", qos=1, hostname="127.0.0.1", port=broker.port)
        until(lambda: (MARK, {}) in messages)
        said = messages[: messages.index((MARK, {}))]
    return {topic.removeprefix("m2m/v1/").removesuffix("/status"): content for topic, content in said}


def test_a_fleet_leaves_word_of_every_unit_and_an_update_changes_it(broker, tmp_path, capsys):
    def command(*arguments):
        code = cli.main(["update", "--control", str(control), *arguments])
        return code, "".join(capsys.readouterr())

    control = tmp_path / "fleet.sock"
    with listening(broker) as messages, running(
        "fleet", "--units", UNITS, "--mqtt", broker.url, "--control", control, "--quiet"
    ) as fleet:  # fmt: skip
        until(lambda: messages)
        until(lambda: len(retained(broker)) == 200)
        assert retained(broker)[PUMP] == {"state": "online", "firmware": "2.1.0"}
        assert command(PUMP, "--firmware", "2.4.0") == (0, f"{PUMP}: reports firmware 2.4.0\n")
        until(lambda: retained(broker)[PUMP] == {"state": "online", "firmware": "2.4.0"})
        assert f"did you mean {PUMP}" in command("HP90-23-001256", "--firmware", "2.4.0")[1]
        broker.kill()
        broker.start()  # without what it retained: it comes with the connection
        until(lambda: len(retained(broker)) == 200)
        assert retained(broker)[PUMP] == {"state": "online", "firmware": "2.4.0"}
        fleet.send_signal(signal.SIGTERM)
        assert fleet.wait(10) == 0
    assert list(retained(broker).values()) == [{"state": "offline"}] * 200


def test_of_a_unit_that_is_alone_the_broker_tells_the_end(broker):
    """Its last will: it did not get to say it."""
    with running("fleet", "--units", UNITS, "--mqtt", broker.url, "--only", PUMP) as fleet:
        until(lambda: retained(broker) == {PUMP: {"state": "online", "firmware": "2.1.0"}})
        fleet.kill()
    until(lambda: retained(broker) == {PUMP: {"state": "offline"}})


def test_a_fleet_started_with_sigint_ignored_still_obeys_it(broker):
    """A shell without job control starts background commands that way; the handler must be set, not inherited."""
    shell = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *SIM]
    with listening(broker) as messages, running(
        "fleet", "--units", UNITS, "--mqtt", broker.url, command=shell
    ) as fleet:  # fmt: skip
        until(lambda: messages)
        fleet.send_signal(signal.SIGINT)
        assert fleet.wait(10) == 0


def test_a_replayed_file_arrives_row_by_row_in_its_order(broker, tmp_path):
    times = series(tmp_path / "series.csv", 2_000)
    with listening(broker) as messages:
        run = sim(
            "replay", tmp_path / "series.csv", "--unit", PRESS, "--metric", "motor_temp_c", "--rate", "0",
            "--mqtt", broker.url, "--end", "2026-01-15T00:00:00Z",
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        until(lambda: len(messages) == len(times))
    shift = 1_768_435_200 - times[-1]
    assert messages == [
        (f"m2m/v1/{PRESS}/telemetry", {"ts": (at + shift) * 1_000, "values": {"motor_temp_c": 70 + at % 977 / 7}})
        for at in times
    ]
    assert f"2,000 rows, {len(set(times)):,} distinct times" in run.stdout
    assert f"published 2,000 to {PRESS}, acknowledged 2,000" in run.stdout


def test_nothing_of_a_file_with_a_bad_line_is_published(broker, tmp_path):
    path = tmp_path / "series.csv"
    series(path, 500)
    path.write_text(path.read_text() + "2014-01-01 00:00:00,warm\n")
    with listening(broker) as messages:
        run = sim("replay", path, "--unit", PRESS, "--metric", "motor_temp_c", "--rate", "0", "--mqtt", broker.url)
        assert run.returncode == 1
        assert "line 502: 'warm' is not a number" in run.stderr
        sim("replay", path.with_name("none.csv"), "--unit", PRESS, "--metric", "x", "--mqtt", broker.url)
        assert messages == []


def test_a_broker_that_is_killed_and_comes_back_gets_every_row(broker, tmp_path):
    times = series(tmp_path / "series.csv", 3_000)
    with running(
        "replay", tmp_path / "series.csv", "--unit", PRESS, "--metric", "motor_temp_c", "--rate", "1500", "--no-shift",
        "--mqtt", broker.url,
    ) as run:  # fmt: skip
        with listening(broker) as before:
            until(lambda: len(before) > 500)
            broker.kill()
        broker.start()
        with listening(broker) as after:
            assert run.wait(15) == 0
            until(lambda: after and after[-1][1]["ts"] == times[-1] * 1_000)
        said = run.stderr.read()
        assert "acknowledged 3,000" in run.stdout.read()
    assert "lost (connection closed); trying again" in said
    assert "connected again after" in said


def test_a_broker_that_does_not_answer_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        url = f"mqtt://127.0.0.1:{taken.getsockname()[1]}"
        run = sim("fleet", "--units", UNITS, "--mqtt", url, "--wait", "300ms")
    assert run.returncode == 1
    assert run.stderr == f"device-sim: no MQTT broker answers at {url} (tried for 300ms: Connection refused)\n"
