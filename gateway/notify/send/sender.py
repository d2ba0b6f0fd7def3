"""The senders: of deliveries on one channel, and of service letters."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from gateway import metrics
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.maker import Maker
from gateway.core.reason import Reason
from gateway.logs import traced
from gateway.notify.channels import Channel
from gateway.notify.compose import letter_mail
from gateway.notify.links import Links
from gateway.notify.model import Address, Answer, Retry, Unknown
from gateway.notify.send.letters import Letters, unknown_template
from gateway.notify.send.mail import Mailer
from gateway.notify.send.outbox import ClaimedDelivery, Outbox
from gateway.store import TROUBLES, Connection, Database, Row, count_trouble, words_of
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds between two tries while the database is away."""


class Sender(ABC):
    """Takes work in a transaction, and sends each piece outside of one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @abstractmethod
    def take(self, limit: int) -> Sequence[Any]:
        """Claim up to `limit` pieces of work that are due."""

    @abstractmethod
    async def do(self, work: Any) -> None:  # noqa: ANN401 - each sender knows its work
        """Send one piece of work and record the answer."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections of the sender."""

    async def _write(self, write: Callable[[Connection], object]) -> None:
        """Call `write` in a transaction, and wait for a database that is away: no record of a sending is lost."""
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
    """Sends the deliveries of one channel."""

    def __init__(self, database: Database, outbox: Outbox, channel: Channel, clock: Clock, settings: Settings) -> None:
        super().__init__(database, clock)
        self._outbox = outbox
        self._channel = channel
        self._batch = settings.outbox_batch
        # A channel has its own time limits; this one is for waits that those do not cover.
        self._limit_s = settings.send_timeout.total_seconds() * 3

    def take(self, limit: int) -> list[ClaimedDelivery]:
        """Settle the deliveries of workers that ended, then claim those that are due."""
        with self._database.transaction() as tx:
            recovered = self._outbox.recover(tx, self._channel.name, self._clock(), self._batch)
        if recovered:
            log.warning("%d deliveries by %s were left by a worker that ended.", recovered, self._channel.name)
        with self._database.transaction() as tx:
            return self._outbox.claim(tx, self._channel.name, self._clock(), limit)

    async def do(self, work: ClaimedDelivery) -> None:
        """Send to all addresses at the same time, record each answer, then settle the delivery."""
        with traced(work.delivery.trace):
            await self._deliver(work)

    async def _deliver(self, work: ClaimedDelivery) -> None:
        answers = await asyncio.gather(*[self._send(work, address) for address in work.addresses])
        waits = [answer.after for answer in answers if isinstance(answer, Retry) and answer.after is not None]
        longest_wait = max(waits, default=None)
        await self._write(lambda tx: self._outbox.settle(tx, work.delivery, self._clock(), longest_wait))
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
            return Unknown(Reason.of("no-answer", seconds=round(self._limit_s)))
        except Exception as error:
            log.exception("Sending by %s broke.", self._channel.name)
            return Unknown(Reason.of("sending-broke", error=type(error).__name__))

    async def close(self) -> None:
        """Close the channel's connections."""
        await self._channel.close()


class LetterSender(Sender):
    """Sends service letters."""

    def __init__(
        self, database: Database, letters: Letters, mailer: Mailer, links: Links, clock: Clock, maker: Maker
    ) -> None:
        super().__init__(database, clock)
        self._letters = letters
        self._mailer = mailer
        self._links = links
        self._maker = maker

    def take(self, limit: int) -> list[Row]:
        """Take letters that are due."""
        with self._database.transaction() as tx:
            return self._letters.take(tx, self._clock(), limit)

    async def do(self, work: Row) -> None:
        """Send one letter."""
        try:
            mail = letter_mail(work, self._links, self._maker)
            answer = unknown_template(work["template"]) if mail is None else await self._mailer.send(mail)
        except Exception as error:
            log.exception("A letter broke.")
            answer = Unknown(Reason.of("sending-broke", error=type(error).__name__))
        await self._write(lambda tx: self._letters.record(tx, work, answer, self._clock()))

    async def close(self) -> None:
        """Do nothing: each letter has its own connection."""
