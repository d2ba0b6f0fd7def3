"""Runs the gateway's roles as processes, as an operator does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.setup import WAIT_S
from gateway.core.errors import Unavailable
from gateway.roles.process import spawn, stop


@dataclass(frozen=True, slots=True)
class Role:
    """A running role and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def wait(self, happened: Callable[[], bool], within: float, *, pause: float) -> bool:
        """Wait at most `within` seconds. Returns whether it happened. Raises Unavailable if the role ended."""
        deadline = time.monotonic() + within
        while not (has_happened := happened()) and time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Unavailable(f"The {self.name} role ended: " + " ".join(self.log.read_text().splitlines()[-1:]))
            time.sleep(pause)
        return has_happened

    def wait_until_connected(self) -> None:
        """Wait until the broker has accepted its connection. Raises Unavailable when that takes too long."""
        if not self.wait(lambda: "Connected to the broker" in self.log.read_text(), WAIT_S, pause=0.005):
            raise Unavailable(f"The {self.name} role did not connect to the broker.")


@contextmanager
def running(name: str, folder: Path, **settings: object) -> Iterator[Role]:
    """Run a role until the block ends, with these settings."""
    variables = {f"GATEWAY_{key.upper()}": str(value) for key, value in settings.items()}
    log = folder / f"{name}.log"
    with log.open("wb") as log_file:
        process = spawn(
            [sys.executable, "-m", "gateway", "serve", "--role", name],
            death_signal=signal.SIGKILL,
            env=os.environ | variables,
            stdout=log_file,
        )
    try:
        yield Role(name, process, log)
    finally:
        stop(process, signal.SIGTERM, WAIT_S)
