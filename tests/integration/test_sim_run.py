"""A faulty fleet against real brokers: what its folder says it sent arrives, whatever happens to connections."""

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from device_sim import cli
from device_sim.errors import SimError
from device_sim.run.swarm import allow_files
from gateway.demo.servers.broker import EmbeddedBroker
from gateway.roles.process import free_port
from tests.dsl.wait import until

UNITS = Path(__file__).parents[2] / "gateway/demo/data/units.csv"
SIM = [sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"]


@contextmanager
def listening(port):
    """The messages below m2m/ as (topic, payload), in the order they came."""
    messages, ready = [], threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _c, _u, message: messages.append((message.topic, message.payload))
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.subscribe("m2m/#", qos=1)
    client.loop_start()
    assert ready.wait(10)
    try:
        yield messages
    finally:
        client.disconnect()
        client.loop_stop()


def scenario(folder, troubles, **fields):
    file = folder / "mine.yaml"
    text = "".join(f"{name}: {value}\n" for name, value in ({"every": "100ms", "limit": 20} | fields).items())
    file.write_text(f"name: mine\nabout: Mine.\n{text}troubles: [{troubles}]\n")
    return str(file)


def play(port, given, folder, *more):
    arguments = ["run", given, "--units", str(UNITS), "--mqtt", f"mqtt://127.0.0.1:{port}", "--out", str(folder)]
    return cli.main([*arguments, "--quiet", *more])


def lines(folder):
    return [json.loads(line) for line in (folder / "messages.jsonl").read_bytes().splitlines()]


def log_entry(line):
    """What stands in the log of a message, as it can be seen at the other end."""
    if "values" in line:
        return line["topic"], json.dumps({"ts": line["ts"], "values": line["values"]}, separators=(",", ":"))
    return line["topic"], line["payload"][:40]


def arrived(messages):
    found = []
    for topic, payload in list(messages):
        text = payload.decode("utf-8", "replace")
        found.append((topic, text))
    return found


def test_what_the_folder_says_is_what_arrives_and_no_more(broker_port, tmp_path):
    given = scenario(
        tmp_path, "{kind: late, share: 20%, by: 100ms..1s}, {kind: duplicate, share: 20%, after: 0s}, {kind: poison}"
    )
    with listening(broker_port) as messages:
        assert play(broker_port, given, tmp_path / "run", "--duration", "2s") == 0
        sent = lines(tmp_path / "run")
        until(lambda: len(messages) == len(sent))
    good = Counter(log_entry(line) for line in sent if "values" in line)
    came = Counter(arrived(messages))
    assert good <= came
    assert (came - good).total() == sum("payload" in line for line in sent)
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["counts"]["acknowledged"] == len(sent) == sum(facts["kinds"].values())
    assert facts["ended"] > facts["began"]
    assert all(len(line["sent"]) == 1 and line["acked"] >= line["sent"][0] for line in sent)
    assert [line["n"] for line in sorted(sent, key=lambda line: line["n"])] == list(range(1, len(sent) + 1))


@pytest.mark.parametrize(
    ("trouble", "again"),
    [
        ("{kind: half-open, units: 10, at: 20%, for: 30%, how: deaf}", True),
        ("{kind: half-open, units: 10, at: 20%, for: 30%, how: mute}", False),
        ("{kind: half-open, units: 10, at: 20%, for: 30%, how: vanish}", None),
        ("{kind: offline, units: 10, at: 0s, for: 50%, before: 1h, every: 1m}", False),
    ],
    ids=["deaf", "mute", "vanish", "offline"],
)
def test_nothing_is_lost_when_connections_die_without_a_word(broker_port, tmp_path, trouble, again):
    with listening(broker_port) as messages:
        assert play(broker_port, scenario(tmp_path, trouble), tmp_path / "run", "--duration", "2s") == 0
        sent = lines(tmp_path / "run")
        until(lambda: {*map(log_entry, sent)} <= {*arrived(messages)})
        until(lambda: len(messages) >= len(sent))
    if again is not None:  # who loses power may have heard everything, or not
        assert any(len(line["sent"]) > 1 for line in sent) == again, "the log says what went out twice"
        assert len(messages) == sum(len(line["sent"]) for line in sent)
    assert len(messages) <= sum(len(line["sent"]) for line in sent)


def test_a_storm_ends_with_everybody_back_and_nothing_lost(mosquitto_port, tmp_path):
    given = scenario(tmp_path, "{kind: storm, at: 20%, for: 200ms, times: 3, pause: 20%}", limit=150)
    with listening(mosquitto_port) as messages:
        assert play(mosquitto_port, given, tmp_path / "run", "--duration", "3s") == 0
        sent = lines(tmp_path / "run")
        until(lambda: {*map(log_entry, sent)} <= {*arrived(messages)})
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["counts"]["connections"] > 3 * 150, "what is still on its way back at the next storm counts once"
    assert facts["counts"]["again"] > 0


def test_a_broker_that_is_killed_costs_nothing_that_it_had_not_acknowledged(tmp_path):
    """The same broker comes back empty: what was unanswered is sent to it again."""
    port, other = free_port(), free_port()
    command = [*SIM, "run", scenario(tmp_path, ""), "--units", UNITS, "--mqtt", f"mqtt://127.0.0.1:{port}"]
    with EmbeddedBroker(tmp_path / "one", port, other):
        process = subprocess.Popen([*command, "--duration", "4s", "--out", tmp_path / "run"], stderr=subprocess.PIPE)
        until(lambda: (tmp_path / "run" / "messages.jsonl").exists() and lines(tmp_path / "run"))
    with EmbeddedBroker(tmp_path / "two", port, other), listening(port) as messages:
        assert process.wait(30) == 0
        sent = lines(tmp_path / "run")
        assert len(messages) > 0
    assert "a connection was lost" in process.stderr.read().decode()
    process.stderr.close()
    assert all(line["acked"] is not None for line in sent)
    assert len(sent) == 20 * 40


def test_a_stopped_run_says_so_and_leaves_a_folder_that_can_be_read(mosquitto_port, tmp_path):
    given = scenario(tmp_path, "")
    command = [*SIM, "run", given, "--units", UNITS, "--mqtt", f"mqtt://127.0.0.1:{mosquitto_port}"]
    process = subprocess.Popen([*command, "--duration", "60s", "--out", tmp_path / "run"], stderr=subprocess.DEVNULL)
    until(lambda: (tmp_path / "run" / "messages.jsonl").exists() and lines(tmp_path / "run"))
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 1
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["stopped"] is True
    assert facts["counts"]["published"] == len(lines(tmp_path / "run"))


def test_mqtt_3_1_1_is_spoken_too(mosquitto_port, tmp_path):
    with listening(mosquitto_port) as messages:
        given = scenario(tmp_path, "")
        assert play(mosquitto_port, given, tmp_path / "run", "--duration", "1s", "--mqtt-version", "3.1.1") == 0
        until(lambda: len(messages) == 20 * 10)


def test_where_it_cannot_begin_it_says_why(mosquitto_port, tmp_path, capsys):
    given = scenario(tmp_path, "")
    nobody = free_port()
    assert play(nobody, given, tmp_path / "none", "--wait", "300ms") == 1
    assert f"no MQTT broker answers at mqtt://127.0.0.1:{nobody} (tried for 300ms)" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    assert play(mosquitto_port, given, tmp_path / "full") == 1
    assert "is not empty; name another folder with --out" in capsys.readouterr().err
    assert (
        cli.main(["run", given, "--units", str(UNITS), "--mqtt", "mqtts://127.0.0.1:1", "--out", str(tmp_path / "tls")])
        == 1
    )
    assert "speaks plain MQTT only" in capsys.readouterr().err


def test_more_devices_than_the_system_allows_files_is_a_clear_error():
    """Not a traceback from the middle of ten thousand connections. So many nobody is allowed, root neither."""
    with pytest.raises(
        SimError, match=r"2,000,000,000 devices need 2,000,001,064 open files, the system allows .*--limit"
    ):
        allow_files(2_000_000_000)
