"""Debian's Mosquitto with a configuration of the test's: its own, or the one in deploy/."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.embedded.process import free_port, spawn
from tests.conftest import MOSQUITTO, _wait_for, require

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
GATEWAY = ("gateway", "gateway-secret")


@contextmanager
def running(folder: Path, config: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Mosquitto with this configuration, which listens on `port`; its log is mosquitto.log."""
    require(MOSQUITTO, "mosquitto (apt-get install mosquitto)")
    file = folder / "mosquitto.conf"
    file.write_text(config)
    with (folder / "mosquitto.log").open("ab") as log:
        process = spawn([str(MOSQUITTO), "-c", str(file)], death_signal=signal.SIGTERM, stdout=log)
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def local(text: str, folder: Path, port: int) -> str:
    """The deployed configuration with another port, listener address and places; nothing else changes."""
    replaced = {
        "listener 1883": f"listener {port} 127.0.0.1\nuser root",
        "/mosquitto/config/": f"{DEPLOY}/",
        "/mosquitto/data/": f"{folder}/",
    }
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


def set_password(folder: Path, user: str, password: str) -> None:
    """Make a user, as the operator does."""
    file = folder / "passwords"
    file.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(file), user, password], check=True)


@contextmanager
def plain_broker(folder: Path, *lines: str) -> Iterator[int]:
    """Mosquitto's defaults, and these lines; yields the port."""
    port = free_port()
    with running(folder, "\n".join([f"listener {port} 127.0.0.1", "allow_anonymous true", *lines, ""]), port):
        yield port


@contextmanager
def deployed_broker(folder: Path) -> Iterator[int]:
    """The configuration of deploy/, with the gateway's user; yields the port."""
    port = free_port()
    set_password(folder, *GATEWAY)
    with running(folder, local((DEPLOY / "mosquitto.conf").read_text(), folder, port), port):
        yield port
