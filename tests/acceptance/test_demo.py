"""`gateway demo` as its user starts it: it tells its story, leaves nothing running, and goes on with its data."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from gateway.demo.people import OWNER, SUPPORT
from gateway.demo.visitor import VisitFailed, Visitor
from tests.dsl.demo import demo_env, processes_of
from tests.dsl.forms import form
from tests.dsl.wait import until

GATEWAY = str(Path(sys.executable).with_name("gateway"))
SENT = form({"push"}, {"push", "mail"})


@pytest.fixture
def folder():
    """A data folder that the database's account may enter also where we are root."""
    with tempfile.TemporaryDirectory(prefix="gateway-demo-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def env(folder):
    return demo_env(folder)


def signed_in(env, person):
    """One of the demo's people, signed in as the demo prints it."""
    password = (Path(env["GATEWAY_DATA_DIR"]) / "demo-password.txt").read_text()
    return Visitor.sign_in(f"http://127.0.0.1:{env['GATEWAY_HTTP_PORT']}", person.email, password)


def is_ready(env):
    try:
        return Visitor(f"http://127.0.0.1:{env['GATEWAY_HTTP_PORT']}").get("/readyz")["ready"]
    except VisitFailed:
        return False


def reporting(visitor):
    units = visitor.get("/api/units", limit=500)["units"]
    return len(units) == 200 and all(unit["last_seen"] for unit in units)


def catchers_of(env):
    """The demo's own mail server and Firebase, one process."""
    return [command for command in processes_of(env) if "gateway.demo.outbox" in command]


def caught(visitor):
    """What kinds of sendings the demo's list shows of the notice to its owner."""
    items = visitor.get("/demo/outbox.json")["items"]
    return {item["kind"] for item in items if "heating water" in item.get("subject", item.get("title", ""))}


def test_the_check_tells_the_whole_story_in_under_a_minute():
    done = subprocess.run([GATEWAY, "demo", "--check", "--json"], capture_output=True, text=True, timeout=120)
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"], result["failed"]) == (0, True, None), done.stderr
    assert [step["step"] for step in result["steps"]] == [
        "ready",
        "sign up",
        "code in the mailbox",
        "confirm",
        "register a phone",
        "register a unit",
        "readings arrive",
        "alarm",
        "notice on the stream",
        "notice in the feed",
        "notice in the push log",
        "notice in the mailbox",
        "alarm acknowledged",
        "alarm commented",
        "alarm cleared",
        "notice says so on the stream",
        "resolved in the feed",
        "recall drafted",
        "recall approved",
        "recall on the stream",
        "recall pinned",
        "recall in the push log",
        "recall in the mailbox",
        "one mail, all units",
        "recall acknowledged",
        "recall counted",
    ]
    assert result["seconds"] < 60


def test_the_check_says_which_step_failed(tmp_path):
    """In an installation without the simulator nothing can arrive."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    bare.chmod(0o755)
    play = (
        f"import sys; sys.executable = {str(bare)!r}; from gateway.cli import main; main(['demo', '--check', '--json'])"
    )
    done = subprocess.run([sys.executable, "-c", play], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"].startswith("start: ")
    assert "the check failed at start: device-sim is not installed" in done.stderr


def test_the_demo_leaves_nothing_running_and_goes_on_with_its_data(env, folder):
    """Started in the background of a script, stopped by Ctrl-C; started again, killed -9; started a third time."""
    script = f"{GATEWAY} demo >{folder}/out 2>&1 & echo $!"
    started = time.monotonic()
    shell = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    until(lambda: is_ready(env), within=40)
    print(f"first page after {time.monotonic() - started:.1f} s")
    visitor = signed_in(env, SUPPORT)
    until(lambda: reporting(visitor), within=30)
    assert catchers_of(env), "mail and pushes are caught"
    until(lambda: caught(visitor) >= SENT, within=90, what="push, and later mail, of the failing heat pump")
    preferences = signed_in(env, OWNER).get("/api/my/preferences")
    assert (len(preferences["phones"]), preferences["mail"]["confirmed"]) == (1, True)
    os.kill(int(shell.stdout), signal.SIGINT)
    until(lambda: not processes_of(env), within=20, what="all stopped after Ctrl-C")
    printed = (folder / "out").read_text()
    assert "Ready after" in printed
    assert "Traceback" not in printed
    for line in (OWNER.email, SUPPORT.email, f"http://127.0.0.1:{env['GATEWAY_HTTP_PORT']}/demo/outbox", "claim code"):
        assert line in printed

    with (folder / "out2").open("wb") as out:
        demo = subprocess.Popen([GATEWAY, "demo"], env=env, stdout=out, stderr=out)
    until(lambda: is_ready(env), within=40)
    assert reporting(visitor), "the readings of the first run are still there"
    assert caught(visitor) >= SENT, "and so is what was sent in it"
    until(lambda: catchers_of(env), within=10)
    before = len(visitor.get("/api/events", limit=500)["events"])
    demo.kill()
    demo.wait()
    until(lambda: not processes_of(env), within=20, what="all stopped after kill -9")

    with (folder / "out3").open("wb") as out:
        demo = subprocess.Popen([GATEWAY, "demo"], env=env, stdout=out, stderr=out)
    until(lambda: is_ready(env), within=40)
    assert len(visitor.get("/api/events", limit=500)["events"]) >= before
    until(lambda: any("device-sim fleet" in command for command in processes_of(env)), what="the fleet runs")
    demo.terminate()
    assert demo.wait(20) == 0
    assert not processes_of(env)
    for out in ("out2", "out3"):
        assert "Traceback" not in (folder / out).read_text()


@pytest.mark.parametrize("setting", ["GATEWAY_HTTP_PORT", "GATEWAY_MQTT5_PORT", "GATEWAY_MQTT3_PORT"])
def test_a_taken_port_is_one_clear_line(env, setting):
    with socket.create_server(("127.0.0.1", int(env[setting]))):
        done = subprocess.run([GATEWAY, "demo"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"gateway: Port {env[setting]} is taken by another program. Stop it, or choose another with {setting}=…"
    )
    assert not processes_of(env)


def test_an_unwritable_data_folder_is_one_clear_line(env):
    env["GATEWAY_DATA_DIR"] = "/dev/null/gateway"
    done = subprocess.run([GATEWAY, "demo"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("gateway: The data folder /dev/null/gateway cannot be used")
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_setting_is_named():
    done = subprocess.run(
        [GATEWAY, "demo"], env=os.environ | {"GATEWAY_HTTP_PORT": "eighty"}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 78
    assert "GATEWAY_HTTP_PORT" in done.stderr
    assert "Traceback" not in done.stderr
