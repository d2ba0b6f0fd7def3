"""Keeps named child processes running: restarts one that ended after a pause, and stops all in order at a signal."""

import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.roles import process

if TYPE_CHECKING:
    from types import FrameType

EX_CONFIG = 78
DELAY_FIRST = 0.5
DELAY_LIMIT = 10.0
RESET_AFTER = 30.0
STOP_TIMEOUT = 10.0

_log = logging.getLogger(__name__)


def next_delay(previous: float, lived: float) -> float:
    """Seconds before a child comes back: doubling from 0.5 to 10, from the start again after 30 s of life."""
    if lived >= RESET_AFTER or previous <= 0:
        return DELAY_FIRST
    return min(previous * 2, DELAY_LIMIT)


@dataclass(slots=True)
class _Child:
    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] | None
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    delay: float = 0.0
    due: float = 0.0


class Supervisor:
    """Runs children from the main thread; `poll()` is one step, `run_until_signal()` is the whole life."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._children: list[_Child] = []
        self.exit_code: int | None = None

    def start(self, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        """Start a child now and keep it running; children stop in the reverse of this order."""
        child = _Child(name, argv, env)
        with process.without_interruption():
            self._spawn(child)
            self._children.append(child)

    def pids(self) -> dict[str, int]:
        """The children that run now, by name."""
        return {child.name: child.running.pid for child in self._children if child.running is not None}

    def poll(self) -> float | None:
        """Notice children that died and start those that are due; the seconds until the next is due come back."""
        for child in self._children:
            code = child.running.poll() if child.running is not None else None
            if code is None:
                continue
            child.running = None
            if code == EX_CONFIG:  # it would say the same again
                _log.error("%s cannot run with this configuration; stopping.", child.name)
                self.exit_code = EX_CONFIG
                self.stop_all()
                return None
            self._put_off(child, _how(code))
        for child in self._children:
            if child.running is None and child.due <= self._clock():
                try:
                    self._spawn(child)
                except OSError as error:
                    self._put_off(child, str(error))
        waits = [max(0.0, child.due - self._clock()) for child in self._children if child.running is None]
        return min(waits, default=None)

    def stop_all(self) -> None:
        """Stop the children, the last started first, and forget them."""
        while self._children:
            child = self._children[-1]
            if child.running is not None:
                code = process.stop(child.running, signal.SIGTERM, STOP_TIMEOUT)
                if code == -signal.SIGKILL:
                    _log.warning("%s did not stop within %.0f s and was killed.", child.name, STOP_TIMEOUT)
            self._children.pop()

    def run_until_signal(self) -> int:
        """Keep the children running until SIGTERM or SIGINT, then stop them; 0, or 78 for a wrong configuration."""
        try:
            with _signals() as (asked_to_stop, woken):
                while not asked_to_stop() and self.exit_code is None:
                    wait = self.poll()
                    if self.exit_code is None and not asked_to_stop():
                        select.select([woken], [], [], wait)
                        with suppress(BlockingIOError):
                            os.read(woken, 4096)
                # Still with our handlers: a second Ctrl-C must not break off the orderly stop.
                self.stop_all()
        finally:
            self.stop_all()
        return self.exit_code or 0

    def _spawn(self, child: _Child) -> None:
        child.running = process.spawn(child.argv, env=child.env, death_signal=signal.SIGTERM)
        child.started = self._clock()

    def _put_off(self, child: _Child, how: str) -> None:
        now = self._clock()
        child.delay = next_delay(child.delay, now - child.started)
        child.due = now + child.delay
        _log.warning("%s ended (%s); it starts again in %.1f s.", child.name, how, child.delay)


@contextmanager
def _signals() -> Iterator[tuple[Callable[[], bool], int]]:
    """Our handlers, and a descriptor that becomes readable with each signal: a sleep that nothing can slip past."""
    asked: list[int] = []

    def note(number: int, _frame: "FrameType | None") -> None:
        if number != signal.SIGCHLD:
            asked.append(number)

    # Set explicitly, because a script's background job starts with SIGINT ignored; SIGCHLD only has to wake us.
    handled = [signal.SIGTERM, signal.SIGINT, signal.SIGCHLD]
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup ignores it and means it
        handled.append(signal.SIGHUP)
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    old_wake = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    before = {sig: signal.signal(sig, note) for sig in handled}
    try:
        yield lambda: bool(asked), woken
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
        signal.set_wakeup_fd(old_wake)
        os.close(woken)
        os.close(wake)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
