"""Debian's Mosquitto with a configuration of the test's: its own, or the one in deploy/."""

import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.roles.process import free_port, spawn
from tests.conftest import MOSQUITTO, require, wait_for

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
GATEWAY = ("gateway", "gateway-secret")
SIMULATOR = ("simulator", "simulator-secret")


class Mosquitto:
    """A Mosquitto with this configuration, which listens on `port`; its log is mosquitto.log."""

    def __init__(self, folder: Path, config: str, port: int) -> None:
        require(MOSQUITTO, "mosquitto (apt-get install mosquitto)")
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "mosquitto.conf").write_text(config)

    def start(self) -> None:
        with (self._folder / "mosquitto.log").open("ab") as log:
            command = [str(MOSQUITTO), "-c", str(self._folder / "mosquitto.conf")]
            self._process = spawn(command, death_signal=signal.SIGTERM, stdout=log)
        wait_for(self.port, self._process)

    def stop(self) -> None:
        """SIGTERM: it saves its messages, if configured."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def reload(self) -> None:
        """SIGHUP: it reads its files of users and rights again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)


@contextmanager
def running(folder: Path, config: str, port: int) -> Iterator[Mosquitto]:
    """Yields a running Mosquitto until the block ends."""
    broker = Mosquitto(folder, config, port)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def local(text: str, folder: Path, port: int) -> str:
    """Returns the deployed configuration with another port, listener address and folders."""
    replacements = {
        "listener 1883": f"listener {port} 127.0.0.1\nuser root",
        "/mosquitto/config/": f"{DEPLOY}/",
        "/mosquitto/data/": f"{folder}/",
    }
    for old, new in replacements.items():
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
    with deployed(folder) as broker:
        yield broker.port


@contextmanager
def deployed(folder: Path, *, changed: Mapping[str, str] | None = None) -> Iterator[Mosquitto]:
    """The same with the simulator's user, to be stopped and started; `changed` are other values of its settings."""
    port = free_port()
    text = local((DEPLOY / "mosquitto.conf").read_text(), folder, port)
    for name, value in (changed or {}).items():
        text, count = re.subn(rf"^{name} .*$", f"{name} {value}", text, flags=re.MULTILINE)
        assert count == 1, f"deploy/ says nothing of {name}"
    set_password(folder, *GATEWAY)
    set_password(folder, *SIMULATOR)
    with running(folder, text, port) as broker:
        yield broker
