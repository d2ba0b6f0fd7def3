"""The ingest role: micro-batches from the broker are decoded, judged, committed in one transaction, acknowledged."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from gateway import metrics
from gateway.catalog.repository import drop_unjudged
from gateway.config import Settings
from gateway.core.clock import Clock, to_us
from gateway.core.ids import trace_of
from gateway.core.partition import PARTITIONS
from gateway.ingest import quarantine, repository
from gateway.ingest.batch import REFUSED_BY_STORE, Batch, decode_batch, refused_alone
from gateway.ingest.batch_log import count_batch, log_batch
from gateway.ingest.commit import Committed, NumberedBatch, commit
from gateway.ingest.devices import Catalog
from gateway.ingest.judging import Judging
from gateway.ingest.last_messages import LastMessages
from gateway.ingest.restore import Resuming, follow, judge, newest_revision, restore
from gateway.ingest.saves import Saves
from gateway.ingest.threads import threads
from gateway.ingest.writer import Writer
from gateway.logs import traced
from gateway.m2m.device import Device, Limits
from gateway.m2m.inbox import Inbox
from gateway.m2m.link import Link
from gateway.m2m.message import Message, Rejected
from gateway.m2m.receipts import Receipts
from gateway.m2m.redelivery import ENTRY_BYTES, Redelivery
from gateway.readings.repository import begin_noting
from gateway.readings.waiting import WaitingReadings
from gateway.registrations.firmware import take_waiting
from gateway.store import Connection, DataError, IntegrityError
from gateway.store.beat import beat
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

HOUSEKEEPING_S = 1.0
_WORTH_DECODING_AHEAD = 500
"""Of fewer messages waiting, the batch that is being stored is finished first, so that its devices hear at once."""


@dataclass(frozen=True, slots=True)
class _Storing:
    """A judged batch whose commit another thread has begun; its verdicts are taken over once that is done."""

    numbered: NumberedBatch
    messages: Sequence[Message]
    devices: Mapping[str, Device | Rejected]
    delivery: Sequence[Message]
    """The messages to acknowledge then; none for a part that other parts follow."""
    stored: Future[Committed | None]
    """What the commit did; None if stopped before it."""


class Ingest:
    """Owns the rule state, and judges each batch on the state that the one before left. One process at a time works.

    `run` does all of it. To take single steps, call `open`, then `turn`, `finish`, `housekeeping` and `save` in any
    order.
    """

    def __init__(self, settings: Settings, url: str, inbox: Inbox, link: Link, clock: Clock) -> None:
        self._settings = settings
        self.writer = Writer(url, lambda: self.judging.seq)
        self.inbox = inbox
        self._link = link
        self._clock = clock
        self._limits = Limits(
            payload_bytes=settings.payload_max_bytes,
            readings=settings.message_max_readings,
            ahead_us=settings.clock_ahead_max // timedelta(microseconds=1),
            behind_us=settings.history_max // timedelta(microseconds=1),
            days=settings.message_max_days,
            batch_readings=settings.batch_max_readings,
        )
        self._last = LastMessages(settings.last_messages_per_second)
        self.receipts = Receipts(
            settings.mqtt_address, settings.mqtt_credentials, settings.receipts_per_second, settings.receipt_gaps_max
        )
        self._waiting = WaitingReadings(url)
        self._untrimmed = settings.quarantine_max_messages  # how many messages it holds now is not known yet
        self._level = logging.DEBUG
        """Of the log lines about the present batch."""
        self._oldest: deque[Message] = deque()
        """The oldest message of each delivery that is not acknowledged."""
        self._storing: _Storing | None = None
        self._pool = ThreadPoolExecutor(1, "store")
        self._retrying = False
        self._resuming = Resuming()
        self._waiting_after = 0
        """The next look for reported firmware that waits begins behind this unit."""
        self.next_housekeeping = 0.0
        self._saves = Saves(settings.snapshot_every)

    @property
    def _connection(self) -> Connection:
        return self.writer.connection

    # -- Start and stop ---------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises what one of the threads at the broker raised."""
        self.writer.stop = stop
        metrics.QUEUE.set_function(lambda: len(self.inbox))
        metrics.LAG.set_function(self._lag)
        metrics.CONNECTED.set_function(self._link.connected.is_set)
        if not self.open():
            return
        runs = {"mqtt": self._link.run, "receipts": self.receipts.run, "waiting": self._waiting.run}
        try:
            # They end after the last commit, so that its acknowledgements and receipts still leave.
            with threads(runs, failed=stop):
                try:
                    while not stop.is_set():
                        self.turn()
                    self.finish()
                finally:
                    stop.set()  # also where something broke: a commit that waits for the database ends then
                    self._pool.shutdown()
        finally:
            self._link.close()
            self._connection.close()

    def open(self) -> bool:
        """Take the writer's place and bring the state up to the last commit; false if stopped meanwhile."""
        if not self.writer.open():
            return False
        beat(self._connection, "ingest", {"waiting_for": "its rule state"})
        self.judging = restore(self._connection, self._settings, self._clock())
        self._saves.load(self._connection)
        begin_noting(self._connection)
        self._redelivery = Redelivery(self._settings.mqtt_receive_maximum, repository.last_messages(self._connection))
        log.info("Rule state restored up to batch %d (stage=judge).", self.judging.seq)
        self._counting: set[int] | None = None
        self._take_over(self.judging)
        self._keep_in_step()
        return True

    # -- One turn ---------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Take what waits, and begin to store it while the batch before is finished."""
        if len(self.inbox) < _WORTH_DECODING_AHEAD and not self.finish():
            return
        is_free = self._storing is None
        messages = self.inbox.take(
            self._settings.batch_max_messages,
            wait=timedelta(milliseconds=200) if is_free else timedelta(0),
            collect=self._settings.batch_max_wait if is_free else timedelta(0),
            bytes_at_most=self._settings.batch_max_bytes,
        )
        if messages:
            self._oldest.append(messages[0])
            metrics.RECEIVED.inc(len(messages))
            fresh, entries = self._redelivery.sift(messages)
            if len(fresh) < len(messages):
                metrics.REDELIVERED.inc(len(messages) - len(fresh))
                log.info("%d redelivered messages known again (stage=receive).", len(messages) - len(fresh))
            if fresh:
                if not self._take(fresh, entries, messages):
                    return
            elif self.finish():
                self._acknowledge(messages)
            else:
                return
        if self._storing is None:
            self.keep_house()

    def keep_house(self) -> None:
        """Do the housekeeping and the asked retries, once a second, between two batches."""
        if time.monotonic() < self.next_housekeeping:
            return
        self.next_housekeeping = time.monotonic() + HOUSEKEEPING_S
        self.writer.keep_trying(self.housekeeping)
        if not self._retrying:
            self._retrying = True
            self._retry()
            self._retrying = False

    def _retry(self) -> None:
        """Take the messages of the quarantine that somebody asked to try again, in batches of their own."""
        limit = self._settings.batch_max_messages
        messages = self.writer.keep_trying(lambda: quarantine.retry_asked(self._connection, limit))
        if messages:
            log.info("%d messages of the quarantine are tried again (stage=receive).", len(messages))
            if self._take(messages, b""):
                self.finish()

    def _take(self, messages: list[Message], entries: bytes, delivery: Sequence[Message] = ()) -> bool:
        """Decode, judge and begin to store, in as many batches as the readings need; false if stopped before.

        The batch before is being stored while this one is decoded. `delivery` is acknowledged once all are committed.
        """
        while messages:
            catalog = self._catalog
            devices = self._devices({message.topic for message in messages})
            if devices is None:
                return False
            with metrics.stage("decode"):
                batch = decode_batch(messages, devices, self._limits, entries)
            if not self.finish():
                return False
            self.keep_house()
            if self._catalog is not catalog:
                continue  # the readings are of products and metrics that were changed meanwhile
            decoded, messages = messages[: batch.messages], messages[batch.messages :]
            entries = entries[len(batch.entries) :]
            if not self._begin(batch, decoded, devices, () if messages else delivery):
                return False
        return True

    def _devices(self, topics: set[str]) -> dict[str, Device | Rejected] | None:
        """Returns the devices of topics; None if stopped before the database could be asked about unknown ones."""
        known = self._catalog.known(topics)
        if len(known) == len(topics):
            return known
        if not self.finish():  # it uses the connection
            return None
        return self.writer.keep_trying(lambda: self._catalog.devices(self._connection, topics))

    def _begin(
        self,
        batch: Batch,
        messages: Sequence[Message],
        devices: Mapping[str, Device | Rejected],
        delivery: Sequence[Message],
    ) -> bool:
        """Judge a batch and have another thread store it, one at a time. Returns false if stopped before."""
        seq = self.judging.seq + 1
        with traced(trace_of(seq)):
            with metrics.stage("judge"):
                now = self._clock()
                judged = self.writer.keep_trying(lambda: judge(self._connection, self.judging, batch.by_product, now))
            if judged is None:
                return False
            level = self._level = logging.INFO if judged.changes else logging.DEBUG
            log_batch(level, batch, messages, judged.changes, now)
        heard = self._last.choose(batch.heard, time.monotonic())
        receipts = self.receipts.count(batch.numbers)
        numbered = NumberedBatch(seq, self.judging.revision.number, batch, judged, heard, receipts)
        stored = self._pool.submit(self._store, numbered, level)
        self._storing = _Storing(numbered, messages, devices, delivery, stored)
        return True

    def _store(self, numbered: NumberedBatch, level: int) -> Committed | None:
        """Commit a batch, and wake who waits for its changes; None if stopped before. Runs in a thread of its own."""

        def commit_now() -> Committed:
            return commit(self._connection, self.writer.series, numbered, self._settings, self._clock())

        with traced(trace_of(numbered.seq)), metrics.stage("store"):
            committed = self.writer.keep_trying(commit_now)
            if committed is not None:
                log.log(level, "Committed as batch %d (stage=store).", numbered.seq)
                if committed.waited_for:
                    self.writer.keep_trying(self._wake)
            return committed

    def finish(self) -> bool:
        """Wait for the commit in progress, take it over and acknowledge. Returns false if stopped before it."""
        storing, self._storing = self._storing, None
        if storing is None:
            return True
        numbered = storing.numbered
        try:
            committed = storing.stored.result()
        except (DataError, IntegrityError) as error:
            if not self._divide(storing, error):
                return False
        else:
            if committed is None:
                return False
            self.judging.apply(numbered.judged.verdicts, numbered.seq)
            self.receipts.committed(numbered.receipts)
            count_batch(numbered.batch, len(storing.messages), numbered.judged.changes)
            self._trim_quarantine(committed.quarantined)
        if storing.delivery:
            self._acknowledge(storing.delivery)
        return True

    def _acknowledge(self, delivery: Sequence[Message]) -> None:
        with metrics.stage("acknowledge"), traced(trace_of(self.judging.seq)):
            self._link.acknowledge(delivery)
            log.log(self._level, "%d messages (stage=acknowledge).", len(delivery))
        self._oldest.popleft()

    def _divide(self, refused: _Storing, error: Exception) -> bool:
        """Find the message that the database refuses, by halving, and quarantine it; false if stopped before."""
        batch, messages = refused.numbered.batch, list(refused.messages)
        log.error("The database refuses a batch of %d messages (stage=store).", len(messages), exc_info=error)
        middle = len(messages) // 2
        if middle:
            cut = ENTRY_BYTES * sum(message.packet_id > 0 for message in messages[:middle])
            return (
                self._take(messages[:middle], batch.entries[:cut])
                and self._take(messages[middle:], batch.entries[cut:])
                and self.finish()
            )
        if any(rejected.reason == REFUSED_BY_STORE for _, rejected in batch.refused):
            raise error  # the database refuses even to quarantine it
        alone = refused_alone(batch, messages[0], refused.devices[messages[0].topic], error)
        return self._begin(alone, messages, refused.devices, ()) and self.finish()

    def _lag(self) -> float:
        """Returns the seconds since the oldest unacknowledged message arrived; may be called from any thread."""
        try:
            oldest: Message | None = self._oldest[0]
        except IndexError:
            oldest = self.inbox.oldest()
        return (to_us(self._clock()) - oldest.received_us) / 1e6 if oldest else 0.0

    def _trim_quarantine(self, added: int) -> None:
        """Trim the quarantine after each tenth of its size that was added."""
        self._untrimmed += added
        keep = self._settings.quarantine_max_messages
        if self._untrimmed > keep // 10:
            self.writer.keep_trying(lambda: quarantine.trim(self._connection, keep))
            self._untrimmed = 0

    # -- Now and then -----------------------------------------------------------------------------------------

    def housekeeping(self) -> bool:
        """Do what is due once a second. Returns true, as `keep_trying` wants a value."""
        self._keep_in_step()
        self._resuming.step(self._connection, self.judging, self._settings, self._clock())
        self.save(self._saves.due())
        if units := repository.receipts_to_forget(self._connection):
            self.receipts.forget(units)  # first: if the table cannot be reached, the next try drops them there
            repository.forget_receipts(self._connection, units)
        with self._connection.transaction():
            self._waiting_after = take_waiting(self._connection, self._waiting_after)
        beat(
            self._connection,
            "ingest",
            {
                "waiting_for": None if self._link.connected.is_set() else "the broker",
                "waiting": len(self.inbox),
                "batch": self.judging.seq,
            },
        )
        return True

    def _keep_in_step(self) -> None:
        """Take over a changed catalog, and try suspended products under it."""
        revision = newest_revision(self._connection, self.judging)
        if revision is None:
            return
        self._take_over(follow(self._connection, self.judging, revision, self._clock()))
        wake(self._connection)

    def _take_over(self, judging: Judging) -> None:
        products = judging.revision.products
        counting = {product.id for product in products if product.receipts}
        if counting != self._counting:  # first: it asks the database, and may be tried again
            self.receipts.load(repository.receipts(self._connection))
            self._counting = counting
        self.judging = judging
        self._catalog = Catalog(products)
        self._resuming.ask(judging)

    def _wake(self) -> bool:
        wake(self._connection)
        return True

    def save(self, partitions: int = PARTITIONS) -> None:
        """Save the next partitions, each in a transaction of its own; once a round, drop what is not needed."""
        for _ in range(partitions):
            if self._saves.save_next(self._connection, self.judging):
                self._trim()

    def _trim(self) -> None:
        with self._connection.transaction():
            repository.trim_journal(self._connection, self._settings.mqtt_receive_maximum * ENTRY_BYTES)
            if self.judging.suspended:
                drop_unjudged(self._connection, self._clock() - self._settings.history_max)
