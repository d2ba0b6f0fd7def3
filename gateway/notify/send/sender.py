"""The senders: of deliveries on one channel, and of service letters."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gateway import metrics
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.reason import Reason
from gateway.logs import traced
from gateway.notify.channels.channel import Channel, LetterChannel
from gateway.notify.channels.registry import CHANNELS
from gateway.notify.model import Address, Answer, Delivery, Unknown
from gateway.notify.send.deliveries import Claim
from gateway.notify.send.letters import Letters
from gateway.notify.send.outbox import Outbox
from gateway.notify.send.results import Answered
from gateway.store import TROUBLES, Connection, Database, Row, count_trouble, words_of
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

RETRY_S = 1.0
"""Seconds between two tries while the database is away."""
_RECOVER_EVERY = timedelta(seconds=1)
_GATHER_S = 0.05
"""Seconds for which answers are gathered before they are recorded together."""
_CLOSE_S = 4.0
"""Seconds to wait at the end for answers that are being recorded. Those that are not by then count as unknown."""


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
        with self._database.connection() as connection:
            with connection.transaction():
                write(connection)
            wake(connection)


@dataclass(slots=True)
class _Batch:
    """What is recorded with the next transaction."""

    answers: list[Answered] = field(default_factory=list)
    finished: list[Claim] = field(default_factory=list)
    written: asyncio.Event = field(default_factory=asyncio.Event)

    def parts(self) -> list["_Batch"]:
        """Returns a batch for each delivery."""
        claims = dict.fromkeys([*(each.claim for each in self.answers), *self.finished])
        return [
            _Batch(
                [each for each in self.answers if each.claim is claim],
                [each for each in self.finished if each is claim],
            )
            for claim in claims
        ]


class NoticeSender(Sender):
    """Sends the deliveries of one channel, and records the answers meanwhile, many in a transaction."""

    def __init__(
        self, database: Database, outbox: Outbox, name: str, channel: Channel, clock: Clock, settings: Settings
    ) -> None:
        super().__init__(database, clock)
        self._outbox = outbox
        self._name = name
        self._length = CHANNELS[name].abilities.length
        self._channel = channel
        self._batch = settings.outbox_batch
        # A channel has its own time limits; this one is for waits that those do not cover.
        self._limit_s = settings.send_timeout.total_seconds() * 3
        self._next = _Batch()
        self._writing: asyncio.Task[None] | None = None
        self._recovered_at: datetime | None = None

    def take(self, limit: int) -> list[Claim]:
        """Settle the deliveries of workers that ended, then claim those that are due."""
        now = self._clock()
        if self._recovered_at is None or now - self._recovered_at >= _RECOVER_EVERY:
            self._recover(now)
            self._recovered_at = now
        with self._database.transaction() as tx:
            return self._outbox.claim(tx, self._name, now, limit)

    def _recover(self, now: datetime) -> None:
        with self._database.transaction() as tx:
            recovered = self._outbox.recover(tx, self._name, now, self._batch)
        if recovered:
            log.warning("%d deliveries by %s were left by a worker that ended.", recovered, self._name)

    async def do(self, work: Claim) -> None:
        """Send to all addresses at the same time, have each answer recorded, then settle the delivery."""
        with traced(work.delivery.trace):
            if len(work.addresses) == 1:
                answered = [await self._send(work, work.addresses[0])]
            else:
                await asyncio.gather(*[self._send_and_record(work, address) for address in work.addresses])
                answered = []
            await self._record(answered, [work])
            log.info("Delivery %s by %s was sent (stage=deliver).", work.delivery.notice, self._name)

    async def _send_and_record(self, work: Claim, address: Address) -> None:
        """What one phone answered is recorded at once: another may hang."""
        await self._record([await self._send(work, address)], [])

    async def _send(self, work: Claim, address: Address) -> Answered:
        answer = await self._ask(_cut(work.delivery, self._length), address)
        metrics.DELIVERIES.labels(self._name, type(answer).__name__.lower()).inc()
        work.note(address, answer)
        return Answered(work, address, answer)

    async def _ask(self, delivery: Delivery, address: Address) -> Answer:
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._channel.send(delivery, address)
        except TimeoutError:
            return Unknown(Reason.of("no-answer", seconds=round(self._limit_s)))
        except Exception as error:
            log.exception("Sending by %s broke.", self._name)
            return Unknown(Reason.of("sending-broke", error=type(error).__name__))

    async def _record(self, answers: Sequence[Answered], finished: Sequence[Claim]) -> None:
        """Have it recorded with all that came meanwhile; where that is much already, wait until it is."""
        batch = self._next
        batch.answers += answers
        batch.finished += finished
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_all())
        if len(batch.answers) >= self._batch:
            await batch.written.wait()

    async def _write_all(self) -> None:
        while self._next.answers or self._next.finished:
            await asyncio.sleep(_GATHER_S)
            batch, self._next = self._next, _Batch()
            await self._write_batch(batch)
            batch.written.set()
        self._writing = None

    async def _write_batch(self, batch: _Batch) -> None:
        """One delivery that cannot be recorded holds up no other: its claim ends as unknown."""
        try:
            await self._write(lambda tx: self._outbox.results.record(tx, batch.answers, batch.finished, self._clock()))
        except Exception:
            parts = batch.parts()
            if len(parts) == 1:
                log.exception("What came of a delivery by %s cannot be recorded.", self._name)
                return
            for part in parts:
                await self._write_batch(part)

    async def close(self) -> None:
        """Wait for the record of the last answers, and close the channel's connections."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=_CLOSE_S)
        await self._channel.close()


def _cut(delivery: Delivery, length: int | None) -> Delivery:
    """Returns the delivery with a text that the channel can carry."""
    body = delivery.text.get("body", "")
    if length is None or len(body) <= length:
        return delivery
    return replace(delivery, text=delivery.text | {"body": f"{body[: length - 1]}…"})


class LetterSender(Sender):
    """Sends service letters."""

    def __init__(self, database: Database, letters: Letters, channel: LetterChannel, clock: Clock) -> None:
        super().__init__(database, clock)
        self._letters = letters
        self._channel = channel

    def take(self, limit: int) -> list[Row]:
        """Take letters that are due."""
        with self._database.transaction() as tx:
            return self._letters.take(tx, self._clock(), limit)

    async def do(self, work: Row) -> None:
        """Send one letter."""
        try:
            answer = await self._channel.send(work)
        except Exception as error:
            log.exception("A letter broke.")
            answer = Unknown(Reason.of("sending-broke", error=type(error).__name__))
        await self._write(lambda tx: self._letters.record(tx, work, answer, self._clock()))

    async def close(self) -> None:
        """Close the channel's connections."""
        await self._channel.close()
