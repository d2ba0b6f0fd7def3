"""The senders of the worker role: one thread and one event loop a channel, so that none can hold up another."""

import asyncio
import logging
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from gateway import metrics
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.errors import GatewayError
from gateway.core.maker import Maker
from gateway.logs import traced
from gateway.notify import addresses
from gateway.notify.channels import Channel
from gateway.notify.channels.email import EmailChannel
from gateway.notify.compose import letter_mail
from gateway.notify.links import Links
from gateway.notify.model import Address, Answer, Retry, Unknown
from gateway.notify.network import EMAIL, PUSH
from gateway.notify.reach import channels_of
from gateway.notify.send.letters import Letters, unwritten
from gateway.notify.send.mail import Mailer
from gateway.notify.send.outbox import Claimed, Outbox
from gateway.notify.send.verdict import Limits
from gateway.store import TROUBLES, Connection, Database, Row, count_trouble, words_of
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

_RETRY_S = 1.0
_BROKEN_S = 5.0
_STOP_S = 8.0
"""A supervisor gives a role ten seconds; what is still on its way then is unknown, and says so."""


class Post:
    """Owns the lanes: email, push and service letters."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        limits = Limits(settings.send_attempts, settings.retry_first, settings.retry_max)
        self.outbox = Outbox(channels_of(settings), limits, settings.claim_timeout, random.random)
        self._letters = Letters(limits, settings.claim_timeout, random.random)
        self._lanes: list[Lane] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send until the block ends; what is on its way then gets a few seconds to end well."""
        if self.outbox.channels:
            with self._database.transaction() as tx:
                links = addresses.links(tx, self._settings.public_url, self._settings.link_secret)
            self._lanes = list(self._make(links))
        try:
            yield
        finally:
            for lane in self._lanes:
                lane.stop()
            for lane in self._lanes:
                lane.join()
            self._lanes = []

    def wake(self) -> None:
        """Something may be due."""
        for lane in self._lanes:
            lane.wake()

    def _make(self, links: Links) -> Iterator["Lane"]:
        settings, clock = self._settings, self._clock
        timeout = settings.send_timeout.total_seconds()
        if settings.smtp_url:
            mailer = Mailer(settings.smtp_url, settings.mail_from, timeout, clock, ca=settings.smtp_ca)
            yield Lane("letters", lambda: self._letter_road(mailer, links), settings)
            yield Lane(EMAIL, lambda: self._road(EmailChannel(mailer, links, settings.maker)), settings)
        if settings.fcm_credentials:
            # Only here: it takes half a second to import, and most installations have no phones yet.
            from gateway.notify.channels.fcm import FcmChannel  # noqa: PLC0415

            account, url = settings.fcm_credentials, settings.fcm_url
            yield Lane(PUSH, lambda: self._road(FcmChannel(account, url, timeout, links, clock)), settings)

    def _letter_road(self, mailer: Mailer, links: Links) -> "LetterRoad":
        return LetterRoad(self._database, self._letters, mailer, links, self._clock, self._settings.maker)

    def _road(self, channel: Channel) -> "NoticeRoad":
        return NoticeRoad(self._database, self.outbox, channel, self._clock, self._settings)


class Road(ABC):
    """What a lane does: take some work in a transaction, and do each piece outside of one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @abstractmethod
    def take(self, limit: int) -> Sequence[Any]:
        """Claim what is due."""

    @abstractmethod
    async def do(self, work: Any) -> None:  # noqa: ANN401 - each road knows its own work
        """Send it and record what came of it."""

    @abstractmethod
    async def close(self) -> None:
        """Give connections back."""

    async def _write(self, write: Callable[[Connection], object]) -> None:
        """Record in a transaction; a database that is away is waited for: what was sent must not be forgotten."""
        while True:
            try:
                await asyncio.to_thread(self._transact, write)
            except TROUBLES as error:
                log.warning("A sender waits for %s (%s).", count_trouble(error).value, words_of(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return

    def _transact(self, write: Callable[[Connection], object]) -> None:
        with self._database.transaction() as tx:
            write(tx)
        with self._database.read() as connection:
            wake(connection)


class NoticeRoad(Road):
    """Deliveries of one channel."""

    def __init__(self, database: Database, outbox: Outbox, channel: Channel, clock: Clock, settings: Settings) -> None:
        super().__init__(database, clock)
        self._outbox = outbox
        self._channel = channel
        self._batch = settings.outbox_batch
        # A channel keeps its own time limits and knows what they mean; this one is for what it did not think of.
        self._limit_s = settings.send_timeout.total_seconds() * 3

    def take(self, limit: int) -> list[Claimed]:
        """Settle what a worker that ended left behind, then claim what is due."""
        with self._database.transaction() as tx:
            left = self._outbox.recover(tx, self._channel.name, self._clock(), self._batch)
        if left:
            log.warning("%d deliveries by %s were left by a worker that ended.", left, self._channel.name)
        with self._database.transaction() as tx:
            return self._outbox.claim(tx, self._channel.name, self._clock(), limit)

    async def do(self, work: Claimed) -> None:
        """Send to every address at once, record each answer as it comes, then decide what they come to."""
        with traced(work.delivery.trace):
            await self._deliver(work)

    async def _deliver(self, work: Claimed) -> None:
        answers = await asyncio.gather(*[self._send(work, address) for address in work.addresses])
        asked = [answer.after for answer in answers if isinstance(answer, Retry) and answer.after is not None]
        longest = max(asked, default=None)
        await self._write(lambda tx: self._outbox.settle(tx, work.delivery, self._clock(), longest))
        log.info("Delivery %s by %s was sent (stage=deliver).", work.delivery.notice, self._channel.name)

    async def _send(self, work: Claimed, address: Address) -> Answer:
        answer = await self._ask(work, address)
        metrics.DELIVERIES.labels(self._channel.name, type(answer).__name__.lower()).inc()
        await self._write(lambda tx: self._outbox.record(tx, work.delivery, address, answer, self._clock()))
        return answer

    async def _ask(self, work: Claimed, address: Address) -> Answer:
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._channel.send(work.delivery, address)
        except TimeoutError:
            return Unknown(f"no answer within {self._limit_s:.0f} s")
        except Exception as error:
            log.exception("Sending by %s broke.", self._channel.name)
            return Unknown(f"sending broke ({type(error).__name__}); it may have gone out")

    async def close(self) -> None:
        """Close the channel's connections."""
        await self._channel.close()


class LetterRoad(Road):
    """Service letters."""

    def __init__(
        self, database: Database, letters: Letters, mailer: Mailer, links: Links, clock: Clock, maker: Maker
    ) -> None:
        super().__init__(database, clock)
        self._letters = letters
        self._mailer = mailer
        self._links = links
        self._maker = maker

    def take(self, limit: int) -> list[Row]:
        """Take what is due."""
        with self._database.transaction() as tx:
            return self._letters.take(tx, self._clock(), limit)

    async def do(self, work: Row) -> None:
        """Send one letter."""
        try:
            mail = letter_mail(work, self._links, self._maker)
            answer = unwritten(work["template"]) if mail is None else await self._mailer.send(mail)
        except Exception as error:
            log.exception("A letter broke.")
            answer = Unknown(f"sending broke ({type(error).__name__})")
        await self._write(lambda tx: self._letters.record(tx, work, answer, self._clock()))

    async def close(self) -> None:
        """Nothing to give back: each letter has a connection of its own."""


class Lane:
    """A thread with a loop of its own: takes as much work as it may have on its way, and does it."""

    def __init__(self, name: str, make_road: Callable[[], Road], settings: Settings) -> None:
        self._name = name
        self._make_road = make_road
        self._concurrency = settings.send_concurrency
        self._pause: timedelta = settings.wakeup_fallback
        self._woken = asyncio.Event()
        self._stopping = False
        self._ready = threading.Event()
        self._broken = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=f"post-{name}", daemon=True)
        self._thread.start()
        self._ready.wait()

    def wake(self) -> None:
        """Look now; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Take nothing more."""
        self._stopping = True
        self._broken.set()
        self.wake()

    def join(self) -> None:
        """Wait until what was on its way ended, or its time is up."""
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stopping:
            try:
                asyncio.run(self._live())
            except GatewayError as error:
                log.error("%s cannot be sent by: %s", self._name, error)  # noqa: TRY400 - the message says what to do
            except Exception:
                log.exception("The lane %s broke; it starts again.", self._name)
            self._ready.set()
            if not self._stopping:
                self._broken.wait(_BROKEN_S)

    async def _live(self) -> None:
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        road = self._make_road()
        on_the_way: set[asyncio.Task[None]] = set()
        try:
            while not self._stopping:
                await self._turn(road, on_the_way)
            if on_the_way:
                await asyncio.wait(on_the_way, timeout=_STOP_S / 2)
        finally:
            await road.close()

    async def _turn(self, road: Road, on_the_way: set[asyncio.Task[None]]) -> None:
        self._woken.clear()
        free = self._concurrency - len(on_the_way)
        taken: Sequence[Any] = ()
        if free:
            try:
                taken = await asyncio.to_thread(road.take, free)
            except TROUBLES as error:
                log.warning("A sender waits for %s (%s).", count_trouble(error).value, words_of(error))
                await asyncio.sleep(_RETRY_S)
        for work in taken:
            task = asyncio.create_task(road.do(work))
            on_the_way.add(task)
            task.add_done_callback(on_the_way.discard)
            task.add_done_callback(lambda _: self._woken.set())
        if not taken:
            await _at_most(self._woken.wait(), self._pause)


async def _at_most(waited_for: Awaitable[object], span: timedelta) -> None:
    try:
        await asyncio.wait_for(waited_for, span.total_seconds())
    except TimeoutError:
        return
