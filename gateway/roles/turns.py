"""Repeats a turn of a role: at once while there was something to do, else after a wake-up.

A trouble of the database is waited for. One that loses the connection is left to who has it.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from gateway.store import TROUBLES, Connection, connect, count_trouble, pause, trouble_of, words_of
from gateway.store.wakeup import listen, wait, wake

log = logging.getLogger(__name__)

RETRY_S = 1.0
_BROKEN_S = 5.0
"""Seconds until a thread that broke goes on."""
_STOP_S = 10.0
_ERROR = "an error of ours, which its log has"


class Turns:
    """The turns of one thread; `turn` returns how much there was to do."""

    def __init__(self, name: str, turn: Callable[[], int], idle: timedelta) -> None:
        self._name = name
        self._turn = turn
        self._idle = idle
        self.waiting_for: str | None = None
        """What keeps it from its work."""

    def repeat(self, listener: Connection, stop: threading.Event, before: Callable[[], None] = lambda: None) -> None:
        """Turn until `stop` is set, and call `before` each time. Raises a trouble that loses the connection."""
        listen(listener)
        tries = 0
        while not stop.is_set():
            before()
            try:
                count = self._turn()
            except TROUBLES as error:
                if trouble_of(error).loses_connection:
                    raise
                tries += 1
                self._note(error)
                stop.wait(pause(trouble_of(error), tries).total_seconds())
                continue
            tries, self.waiting_for = 0, None
            if count:
                wake(listener)
            else:
                wait(listener, self._idle)

    @contextmanager
    def running(self, url: str) -> Iterator[None]:
        """Repeat in a thread of its own until the block ends."""
        stop = threading.Event()
        thread = threading.Thread(target=self._run, args=[url, stop], name=self._name, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(_STOP_S)

    def _run(self, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                with connect(url, f"gateway-{self._name}") as listener:
                    self.repeat(listener, stop)
            except TROUBLES as error:
                self._note(error)
                stop.wait(RETRY_S)
            except Exception:
                log.exception("The %s broke; it goes on in a few seconds.", self._name)
                self.waiting_for = _ERROR
                stop.wait(_BROKEN_S)

    def _note(self, error: Exception) -> None:
        self.waiting_for = count_trouble(error).value
        log.warning("The %s waits for %s (%s).", self._name, self.waiting_for, words_of(error))
