"""The README's tour, and support's after it: the commands run as they stand there, and print what they say."""

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.dsl.demo import demo_env, processes_of
from tests.dsl.wait import until

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^## A tour of five minutes$(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```$.*?^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEXT = "-- the next block --"
ENOUGH_S = 180
"""Seconds for the start, and for all steps; a quiet machine needs 15 and 30."""


def tour():
    """Each block of commands, and the lines that it prints; … stands for anything."""
    section = SECTION.search((ROOT / "README.md").read_text("utf-8"))
    assert section
    return blocks_of(section[1]) + blocks_of((ROOT / "docs/tours/support.md").read_text("utf-8"))


def blocks_of(text):
    blocks = [(commands, said.splitlines()) for commands, said in BLOCK.findall(text)]
    assert len(blocks) == text.count("```sh\n"), "a block of commands stands there without what it prints"
    return blocks


def find(said, printed):
    """Find the lines among those that were printed, in their order; fails with the first that is not there."""
    left = iter(printed)
    for line in said:
        looks = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        assert any(looks.fullmatch(each) for each in left), f"not printed: {line}\nbut: {printed}"


@pytest.fixture
def env():
    with tempfile.TemporaryDirectory(prefix="gateway-tour-") as folder:
        # Where we are root, the database's account has to get through.
        Path(folder).chmod(0o755)
        # As from a shell, also when these tests were started by make.
        yield demo_env(Path(folder)) | {"MAKEFLAGS": "", "MAKELEVEL": "0", "TMPDIR": folder}


def test_the_readmes_tour_prints_what_it_says(env):
    (start, addresses), *steps = tour()
    ours = {"8080": "GATEWAY_HTTP_PORT", "1883": "GATEWAY_MQTT5_PORT", "1884": "GATEWAY_MQTT3_PORT"}
    for port, setting in ours.items():
        addresses = [line.replace(port, env[setting]) for line in addresses]
    began = time.monotonic()
    log = Path(env["TMPDIR"]) / "log"
    with log.open("wb") as out:
        demo = subprocess.Popen(
            ["bash", "-c", start], cwd=ROOT, env=env, stdout=out, stderr=out, start_new_session=True
        )
    try:
        until(lambda: "stop with Ctrl-C" in log.read_text() or demo.poll() is not None, within=ENOUGH_S)
        find(addresses, log.read_text().splitlines())
        script = f"echo '{NEXT}'\n".join(commands + "echo\n" for commands, _ in steps)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=ENOUGH_S,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}{log.read_text()}"
        for (_, said), printed in zip(steps, done.stdout.split(NEXT), strict=True):
            find(said, printed.splitlines())
    finally:
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(30)
    until(lambda: not processes_of(env), what="all stopped after Ctrl-C")
    assert "Traceback" not in log.read_text()
    print(f"the tour took {time.monotonic() - began:.0f} s")
