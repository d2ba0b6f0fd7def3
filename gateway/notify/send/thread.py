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
_SHARE = 4
"""A sender takes work when a fourth of its places are free: many pieces with one statement, and none waits idle."""
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
            self._loop.call_soon_threadsafe(self._woken.set)

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
        self._woken.clear()
        free = self._concurrency - len(running_tasks)
        work_items: Sequence[Any] = ()
        if free * _SHARE >= self._concurrency:
            try:
                work_items = await asyncio.to_thread(sender.take, free)
            except TROUBLES as error:
                log.warning("A sender waits for %s (%s).", count_trouble(error).value, words_of(error))
                await asyncio.sleep(RETRY_S)
        for work in work_items:
            task = asyncio.create_task(sender.do(work))
            running_tasks.add(task)
            task.add_done_callback(running_tasks.discard)
            task.add_done_callback(lambda _: self._woken.set())
        if not work_items:
            await _wait_at_most(self._woken.wait(), self._pause)


async def _wait_at_most(awaitable: Awaitable[object], span: timedelta) -> None:
    try:
        await asyncio.wait_for(awaitable, span.total_seconds())
    except TimeoutError:
        return
