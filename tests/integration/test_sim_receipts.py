"""Devices that wait for receipts, against real brokers: they keep what nobody has promised to have, and say so."""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import contextmanager

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gateway.roles.process import free_port
from tests.dsl.mosquitto import running
from tests.dsl.reconciled import UNITS, play
from tests.dsl.wait import until

UNITS_PLAYED = 10
MESSAGES = UNITS_PLAYED * 20
EVERY = ("--duration", "2s")


class Clerk:
    """Stands for the gateway: notes what comes with a number, and gives receipts for it."""

    def __init__(self, port, *, receipts=True):
        self.came = defaultdict(list)
        self.receipts = receipts
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(0.1, 0.2)
        self._client.on_connect = lambda client, *_: client.subscribe("m2m/v1/+/+/telemetry", qos=1) and None
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(10)

    def _message(self, _client, _data, message):
        device, said = message.topic.removesuffix("/telemetry"), json.loads(message.payload)
        if "seq" in said:
            self.came[device].append(said)
            if self.receipts:
                self.publish(device)

    def publish(self, device):
        """What a receipt says: all from 1 on, without a gap, of the newest boot; what was given up is no gap."""
        came = self.came[device]
        boot = max(each["boot"] for each in came)
        there = {each["seq"] for each in came if each["boot"] == boot}
        upto = max(each.get("from", 1) for each in came if each["boot"] == boot) - 1
        while upto + 1 in there:
            upto += 1
        self._client.publish(f"{device}/receipt", json.dumps({"boot": boot, "upto": upto}), qos=1, retain=True)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def clerk(port, **more):
    made = Clerk(port, **more)
    try:
        yield made
    finally:
        made.close()


def scenario(folder, troubles="", **fields):
    given = {"every": "100ms", "limit": UNITS_PLAYED, "receipts": "true", "resend": "500ms", "settle": "10s"} | fields
    text = "".join(f"{name}: {value}\n" for name, value in given.items())
    (file := folder / "mine.yaml").write_text(f"name: mine\nabout: Mine.\n{text}troubles: [{troubles}]\n")
    return str(file)


def lines(folder):
    return [json.loads(line) for line in (folder / "messages.jsonl").read_bytes().splitlines()]


def run_counts(folder):
    return json.loads((folder / "run.json").read_text())["counts"]


def test_each_device_numbers_its_messages_and_ends_when_all_are_receipted(broker_port, tmp_path, capsys):
    with clerk(broker_port) as gateway:
        assert play(scenario(tmp_path), broker_port, tmp_path / "run", *EVERY) == 0
    assert f"{MESSAGES} acknowledged, {MESSAGES} receipted, 0 sent again" in capsys.readouterr().out
    boot = json.loads((tmp_path / "run" / "run.json").read_text())["boot"]
    assert len(gateway.came) == UNITS_PLAYED
    for came in gateway.came.values():
        assert [(each["boot"], each["seq"]) for each in came] == [(boot, seq) for seq in range(1, 21)]
        assert all("from" not in each for each in came)
    sent = lines(tmp_path / "run")
    assert len(sent) == MESSAGES
    assert all(line["receipted"] >= line["sent"][0] for line in sent)


def test_a_second_run_is_another_boot_and_does_not_take_the_first_ones_receipts(mosquitto_port, tmp_path):
    with clerk(mosquitto_port) as gateway:
        assert play(scenario(tmp_path), mosquitto_port, tmp_path / "one", *EVERY) == 0
        gateway.receipts = False
        second = scenario(tmp_path, settle="1s")
        assert play(second, mosquitto_port, tmp_path / "two", "--duration", "1s") == 1
    assert run_counts(tmp_path / "two")["receipted"] == 0


def test_without_receipts_everything_is_kept_sent_again_and_told_as_open(mosquitto_port, tmp_path, capsys):
    with clerk(mosquitto_port, receipts=False) as gateway:
        given = scenario(tmp_path, resend="300ms", settle="2s")
        assert play(given, mosquitto_port, tmp_path / "run", "--duration", "1s") == 1
    found = run_counts(tmp_path / "run")
    assert (found["acknowledged"], found["unanswered"], found["receipted"]) == (100, 100, 0)
    assert 100 <= found["again"] <= 600, "the wait doubles"
    assert "0 receipted, 100 still open" in capsys.readouterr().out
    sent = lines(tmp_path / "run")
    assert all(line["receipted"] is None and line["acked"] is not None for line in sent)
    assert sum(len(came) for came in gateway.came.values()) == sum(len(line["sent"]) for line in sent)


def test_what_has_no_room_is_given_up_the_oldest_first_and_the_gateway_is_told(mosquitto_port, tmp_path, capsys):
    """30 s of readings every 100 ms that were kept while the device was away, and room for 200 of them."""
    away = "{kind: offline, at: 0s, for: 20%, before: 30s, every: 100ms}"
    with clerk(mosquitto_port) as gateway:
        given = scenario(tmp_path, away, buffer=200, limit=1)
        assert play(given, mosquitto_port, tmp_path / "run", *EVERY) == 1
    sent = sorted(lines(tmp_path / "run"), key=lambda line: line["seq"])
    gone = [line["seq"] for line in sent if line.get("given_up")]
    assert gone == list(range(1, len(gone) + 1))
    assert len(gone) >= 100
    assert all((line["receipted"] is None) == (line["seq"] in gone) for line in sent)
    assert f", {len(gone)} given up" in capsys.readouterr().out
    (came,) = gateway.came.values()
    assert {each["seq"] for each in came} >= {line["seq"] for line in sent} - set(gone)
    assert 100 < min(each["from"] for each in came) <= max(each["from"] for each in came) == len(gone) + 1


def test_what_comes_late_does_not_go_out_any_more_when_what_is_newer_was_given_up(mosquitto_port, tmp_path):
    """A message below its own `from` would be refused."""
    late = "{kind: late, share: 20%, by: 3s..3s}"
    with clerk(mosquitto_port, receipts=False) as gateway:
        given = scenario(tmp_path, late, buffer=200, limit=1, every="10ms", resend="1m", settle="500ms")
        assert play(given, mosquitto_port, tmp_path / "run", "--duration", "4s") == 1
    never = [line for line in lines(tmp_path / "run") if not line["sent"]]
    assert never
    assert all(line["kind"] == "late" and line["given_up"] for line in never)
    (came,) = gateway.came.values()
    assert max(each.get("from", 1) for each in came) > 100
    assert all(each.get("from", 1) <= each["seq"] for each in came)


@pytest.mark.parametrize("how", ["deaf", "mute", "vanish"])
def test_connections_that_die_without_a_word_cost_nothing(broker_port, tmp_path, how):
    trouble = f"{{kind: half-open, at: 20%, for: 30%, how: {how}}}, {{kind: late, share: 20%, by: 100ms..1s}}"
    copies = "{kind: duplicate, share: 20%, after: 200ms}, {kind: poison, share: 10%, kinds: [unknown-metric]}"
    with clerk(broker_port) as gateway:
        gateway.receipts = False
        threading.Timer(1.5, lambda: setattr(gateway, "receipts", True)).start()
        assert play(scenario(tmp_path, f"{trouble}, {copies}"), broker_port, tmp_path / "run", *EVERY) == 0
    sent = lines(tmp_path / "run")
    for line in sent:
        assert "seq" in line or line["kind"] == "unknown-metric"
        assert line.get("receipted") or "seq" not in line
    assert len(gateway.came) == UNITS_PLAYED
    for device, came in gateway.came.items():
        wanted = {line["seq"] for line in sent if line["topic"].startswith(device) and "seq" in line}
        assert {each["seq"] for each in came} == wanted


def test_what_a_killed_broker_had_acknowledged_and_lost_is_sent_again(tmp_path):
    """Nothing is persistent: with the broker goes what it had, its receipts, and the clerk's session."""
    port = free_port()
    config = f"listener {port} 127.0.0.1\nallow_anonymous true\n"
    command = [
        *(sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"),
        *("run", scenario(tmp_path), "--units", UNITS, "--mqtt", f"mqtt://127.0.0.1:{port}"),
        *("--duration", "4s", "--out", tmp_path / "run", "--quiet"),
    ]
    with running(tmp_path, config, port) as broker, clerk(port, receipts=False) as gateway:
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        until(lambda: sum(map(len, list(gateway.came.values()))) >= MESSAGES)
        gateway.came.clear()  # as if none of it had been committed
        broker.kill()
        with running(tmp_path, config, port):
            until(lambda: sum(map(len, list(gateway.came.values()))) > 0)
            gateway.receipts = True
            assert process.wait(30) == 0
    told = process.stdout.read().decode()
    process.stdout.close()
    assert f"{2 * MESSAGES} receipted" in told
    assert run_counts(tmp_path / "run")["again"] >= MESSAGES
    assert all({each["seq"] for each in came} == set(range(1, 41)) for came in gateway.came.values())
    assert len(gateway.came) == UNITS_PLAYED
