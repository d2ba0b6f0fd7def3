"""The gateway's roles as processes, as an operator runs them."""

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
    """A role that runs, and where it writes its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    def wait(self, happened: Callable[[], bool], within: float, *, pause: float) -> bool:
        """Wait for it, `within` seconds at most. Returns whether it happened. Raises Unavailable if the role ended."""
        deadline = time.monotonic() + within
        while not (is_so := happened()) and time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Unavailable(f"The {self.name} role ended: " + " ".join(self.log.read_text().splitlines()[-1:]))
            time.sleep(pause)
        return is_so

    def wait_until_connected(self) -> None:
        """Until the broker has taken its connection; raises Unavailable when that lasts too long."""
        if not self.wait(lambda: "Connected to the broker" in self.log.read_text(), WAIT_S, pause=0.005):
            raise Unavailable(f"The {self.name} role did not connect to the broker.")


@contextmanager
def running(name: str, folder: Path, **settings: object) -> Iterator[Role]:
    """Run a role until the block ends, with these settings."""
    own = {f"GATEWAY_{key.upper()}": str(value) for key, value in settings.items()}
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = spawn(
            [sys.executable, "-m", "gateway", "serve", "--role", name],
            death_signal=signal.SIGKILL,
            env=os.environ | own,
            stdout=out,
        )
    try:
        yield Role(name, process, log)
    finally:
        stop(process, signal.SIGTERM, WAIT_S)
