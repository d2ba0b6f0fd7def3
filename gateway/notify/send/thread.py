"""A thread with an event loop for each sender, so that no channel can hold up another."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from gateway.config import Settings
from gateway.core.errors import GatewayError
from gateway.notify.send.sender import RETRY_S, Sender
from gateway.store import TROUBLES, count_trouble, words_of

log = logging.getLogger(__name__)

_BROKEN_S = 5.0
"""Seconds until a sender that broke starts again."""
_SHARE = 2
"""A sender takes work when half of its places are free: many pieces with one statement, while it does the others."""
_STOP_S = 8.0
"""Seconds to wait for running work at the end; a supervisor gives a role ten. Work after that counts as unknown."""


class SenderThread:
    """A thread with its own event loop, which takes work and does up to `send_concurrency` pieces at a time."""

    def __init__(self, name: str, make_sender: Callable[[], Sender], settings: Settings) -> None:
        self._name = name
        self._make_sender = make_sender
        self._concurrency = settings.send_concurrency
        self._pause: timedelta = settings.wakeup_fallback
        self._woken = asyncio.Event()
        self._may_be_due = True
        """Whether there may be work; not after a look that found none."""
        self._stopping = False
        self._ready = threading.Event()
        self._broken = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=f"send-{name}", daemon=True)
        self._thread.start()
        self._ready.wait()

    def wake(self) -> None:
        """Have the sender look for work at once; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._look)

    def stop(self) -> None:
        """Take no more work."""
        self._stopping = True
        self._broken.set()
        self.wake()

    def join(self) -> None:
        """Wait until the running work has ended, at most _STOP_S."""
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stopping:
            try:
                asyncio.run(self._send_until_stopped())
            except GatewayError as error:
                log.error("%s cannot be sent by: %s", self._name, error)  # noqa: TRY400 - the message says what to do
            except Exception:
                log.exception("The sender %s broke; it starts again.", self._name)
            self._ready.set()
            if not self._stopping:
                self._broken.wait(_BROKEN_S)

    async def _send_until_stopped(self) -> None:
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        sender = self._make_sender()
        running_tasks: set[asyncio.Task[None]] = set()
        try:
            while not self._stopping:
                await self._turn(sender, running_tasks)
            if running_tasks:
                await asyncio.wait(running_tasks, timeout=_STOP_S / 2)
        finally:
            await sender.close()

    async def _turn(self, sender: Sender, running_tasks: set[asyncio.Task[None]]) -> None:
        """Take work where there may be some and enough places are free; else wait until that changes."""
        self._woken.clear()
        if not (self._may_be_due and self._has_room(running_tasks)):
            if not await _happens(self._woken.wait(), self._pause):
                self._may_be_due = True
            return
        self._may_be_due = False
        free = self._concurrency - len(running_tasks)
        work_items: Sequence[Any] = ()
        try:
            work_items = await asyncio.to_thread(sender.take, free)
        except TROUBLES as error:
            log.warning("A sender waits for %s (%s).", count_trouble(error).value, words_of(error))
            self._may_be_due = True
            await asyncio.sleep(RETRY_S)
        if work_items:
            self._may_be_due = True
        for work in work_items:
            task = asyncio.create_task(sender.do(work))
            running_tasks.add(task)
            task.add_done_callback(lambda task: self._ended(task, running_tasks))

    def _has_room(self, running_tasks: set[asyncio.Task[None]]) -> bool:
        return (self._concurrency - len(running_tasks)) * _SHARE >= self._concurrency

    def _ended(self, task: asyncio.Task[None], running_tasks: set[asyncio.Task[None]]) -> None:
        running_tasks.discard(task)
        if self._may_be_due and self._has_room(running_tasks):
            self._woken.set()

    def _look(self) -> None:
        self._may_be_due = True
        self._woken.set()


async def _happens(awaitable: Awaitable[object], span: timedelta) -> bool:
    """Returns whether it does within a span."""
    try:
        await asyncio.wait_for(awaitable, span.total_seconds())
    except TimeoutError:
        return False
    return True
