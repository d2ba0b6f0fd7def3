"""What the sending threads do: deliveries of one channel, and service letters."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from gateway import metrics
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.maker import Maker
from gateway.logs import traced
from gateway.notify.channels import Channel
from gateway.notify.compose import letter_mail
from gateway.notify.links import Links
from gateway.notify.model import Address, Answer, Retry, Unknown
from gateway.notify.send.letters import Letters, unwritten
from gateway.notify.send.mail import Mailer
from gateway.notify.send.outbox import ClaimedDelivery, Outbox
from gateway.store import TROUBLES, Connection, Database, Row, count_trouble, words_of
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds between two tries while the database is away."""


class Sender(ABC):
    """Takes work in a transaction, and does each piece outside of one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @abstractmethod
    def take(self, limit: int) -> Sequence[Any]:
        """Claim what is due."""

    @abstractmethod
    async def do(self, work: Any) -> None:  # noqa: ANN401 - each sender knows its work
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
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _transact(self, write: Callable[[Connection], object]) -> None:
        with self._database.transaction() as tx:
            write(tx)
        with self._database.read() as connection:
            wake(connection)


class NoticeSender(Sender):
    """Deliveries of one channel."""

    def __init__(self, database: Database, outbox: Outbox, channel: Channel, clock: Clock, settings: Settings) -> None:
        super().__init__(database, clock)
        self._outbox = outbox
        self._channel = channel
        self._batch = settings.outbox_batch
        # A channel keeps its own time limits and knows what they mean; this one is for what it did not think of.
        self._limit_s = settings.send_timeout.total_seconds() * 3

    def take(self, limit: int) -> list[ClaimedDelivery]:
        """Settle what a worker that ended left behind, then claim what is due."""
        with self._database.transaction() as tx:
            left = self._outbox.recover(tx, self._channel.name, self._clock(), self._batch)
        if left:
            log.warning("%d deliveries by %s were left by a worker that ended.", left, self._channel.name)
        with self._database.transaction() as tx:
            return self._outbox.claim(tx, self._channel.name, self._clock(), limit)

    async def do(self, work: ClaimedDelivery) -> None:
        """Send to every address at once, record each answer as it comes, then decide what they come to."""
        with traced(work.delivery.trace):
            await self._deliver(work)

    async def _deliver(self, work: ClaimedDelivery) -> None:
        answers = await asyncio.gather(*[self._send(work, address) for address in work.addresses])
        asked = [answer.after for answer in answers if isinstance(answer, Retry) and answer.after is not None]
        longest = max(asked, default=None)
        await self._write(lambda tx: self._outbox.settle(tx, work.delivery, self._clock(), longest))
        log.info("Delivery %s by %s was sent (stage=deliver).", work.delivery.notice, self._channel.name)

    async def _send(self, work: ClaimedDelivery, address: Address) -> Answer:
        answer = await self._ask(work, address)
        metrics.DELIVERIES.labels(self._channel.name, type(answer).__name__.lower()).inc()
        await self._write(lambda tx: self._outbox.record(tx, work.delivery, address, answer, self._clock()))
        return answer

    async def _ask(self, work: ClaimedDelivery, address: Address) -> Answer:
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


class LetterSender(Sender):
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
