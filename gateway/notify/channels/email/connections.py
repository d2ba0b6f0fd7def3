"""Connections to the mail server that are kept for the next mail."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.notify.channels.email.server import mails_max
from gateway.notify.channels.email.session import Session

_IDLE_S = 20.0
"""Seconds after which a connection that nobody needs is closed; servers close theirs after minutes."""


@dataclass(slots=True, eq=False)
class Kept:
    """An open connection, and how many mails may still go over it."""

    session: Session
    mails_left: int
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Connections:
    """At most `size` connections; the one that was used last is used next, so that others are closed in quiet times."""

    connect: Callable[[], Awaitable[Session]]
    size: int
    mails_max: int
    places: asyncio.Semaphore = field(init=False)
    """One for each connection; whoever takes or opens one holds a place."""
    _free: list[Kept] = field(init=False, default_factory=list)
    _leaving: set[asyncio.Task[None]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.places = asyncio.Semaphore(self.size)

    def take(self) -> Kept | None:
        """Returns a connection that is free and, as far as is known, still open."""
        while self._free:
            kept = self._free.pop()
            if kept.timer:
                kept.timer.cancel()
            if kept.session.is_open:
                return kept
            kept.session.close()
        return None

    async def open(self) -> Kept:
        """Returns a new connection; raises what `connect` does."""
        session = await self.connect()
        return Kept(session, mails_max(session, self.mails_max))

    async def give_back(self, kept: Kept) -> None:
        """Keep a connection after a mail, unless the server wants no more mails on it."""
        kept.mails_left -= 1
        if not kept.session.is_open:
            kept.session.close()
        elif kept.mails_left < 1:
            await kept.session.leave()
        else:
            kept.timer = asyncio.get_running_loop().call_later(_IDLE_S, self._leave_idle, kept)
            self._free.append(kept)

    async def close(self) -> None:
        """Close all that are free."""
        free, self._free = self._free, []
        for kept in free:
            if kept.timer:
                kept.timer.cancel()
        await asyncio.gather(*[kept.session.leave() for kept in free], *self._leaving)

    def _leave_idle(self, kept: Kept) -> None:
        self._free.remove(kept)
        task = asyncio.get_running_loop().create_task(kept.session.leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
