"""The ingest role: micro-batches from the broker are decoded, judged, committed in one transaction, acknowledged."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

from gateway import metrics
from gateway.app.batch import Batch, decode_batch, make_batch
from gateway.app.catalog import Catalog
from gateway.app.judging import Judging, journal
from gateway.app.restore import Resuming, follow, judge, newest_revision, restore
from gateway.catalog.repository import drop_unjudged, keep_unjudged
from gateway.config import Settings
from gateway.core.clock import Clock, to_us
from gateway.core.errors import Unavailable
from gateway.core.ids import IdMaker, random_id
from gateway.logs import traced
from gateway.m2m import quarantine
from gateway.m2m import repository as m2m
from gateway.m2m.counted import Receipt
from gateway.m2m.decode import Device, Limits
from gateway.m2m.inbox import Inbox
from gateway.m2m.last import LastMessages
from gateway.m2m.link import Link
from gateway.m2m.message import Heard, Message, Rejected
from gateway.m2m.receipts import Receipts
from gateway.m2m.redelivery import ENTRY_BYTES, Redelivery
from gateway.m2m.waiting import WaitingReadings
from gateway.registrations.firmware import take_firmware, take_waiting
from gateway.rules import repository as rules
from gateway.rules.evaluator import Change
from gateway.rules.repository import RuleVersion
from gateway.store import (
    TROUBLES,
    DataError,
    IntegrityError,
    UniqueViolation,
    connect,
    count_trouble,
    pause,
    words_of,
)
from gateway.store.beat import beat
from gateway.store.timeseries import TimeSeries
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

_LOCK = 7_402_200
_RETRY_S = 1.0
_HOUSEKEEPING_S = 1.0
_DAYS_ON_THE_ROAD = 2
"""Made before a batch is stored, for today and one that a clock is behind or ahead; readings of others wait."""

T = TypeVar("T")


class Ingest:
    """Owns the rule state; only one process at a time may (an advisory lock sees to it)."""

    def __init__(self, settings: Settings, url: str, inbox: Inbox, link: Link, clock: Clock) -> None:
        self._settings = settings
        self._url = url
        self._inbox = inbox
        self._link = link
        self._clock = clock
        self._new_id: IdMaker = random_id
        self._stop = threading.Event()
        self._limits = Limits(
            payload_bytes=settings.payload_max_bytes,
            readings=settings.message_max_readings,
            ahead_us=settings.clock_ahead_max // timedelta(microseconds=1),
            behind_us=settings.history_max // timedelta(microseconds=1),
            days=settings.message_max_days,
            batch_readings=settings.batch_max_readings,
        )
        self._last = LastMessages(settings.last_messages_per_second)
        self._receipts = Receipts(
            settings.mqtt_address, settings.mqtt_credentials, settings.receipts_per_second, settings.receipt_gaps_max
        )
        self._waiting = WaitingReadings(url)
        self._untrimmed = settings.quarantine_max_messages  # how full it is now, nobody knows yet
        self._level = logging.DEBUG
        """Of the lines about the batch in work."""
        self._oldest: Message | None = None
        """Of the batch in work."""
        self._resuming = Resuming()
        self._waiting_after = 0
        """The unit behind which reported firmware that waits is looked for next."""
        self._next_housekeeping = 0.0
        self._next_snapshot = time.monotonic() + settings.snapshot_every.total_seconds()

    # -- Start and stop ---------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises what one of the threads at the broker raised."""
        self._stop = stop
        metrics.QUEUE.set_function(lambda: len(self._inbox))
        metrics.LAG.set_function(self._lag)
        metrics.CONNECTED.set_function(self._link.connected.is_set)
        if not self._open():
            return
        failures: list[BaseException] = []
        part = threading.Event()

        def until_parting(run: Callable[[threading.Event], None]) -> None:
            try:
                run(part)
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
                failures.append(error)
                stop.set()

        runs = {"mqtt": self._link.run, "receipts": self._receipts.run, "waiting": self._waiting.run}
        threads = [threading.Thread(target=until_parting, args=[run], name=name) for name, run in runs.items()]
        for thread in threads:
            thread.start()
        try:
            while not stop.is_set():
                self._turn()
        finally:
            part.set()  # after the last commit, so that its acknowledgements and receipts still leave
            for thread in threads:
                thread.join()
            self._link.close()
            self._connection.close()
        if failures:
            raise failures[0]

    def _open(self) -> bool:
        """Take the writer's place and bring the state up to the last commit; false if stopped meanwhile."""
        if not self._connect():
            return False
        beat(self._connection, "ingest", {"waiting_for": "its rule state"})
        self._judging = restore(self._connection, self._record, self._clock())
        self._redelivery = Redelivery(self._settings.mqtt_receive_maximum, m2m.last_messages(self._connection))
        log.info("Rule state restored up to batch %d (stage=judge).", self._judging.seq)
        self._counting: set[int] | None = None
        self._take_over(self._judging)
        self._keep_in_step()
        return True

    def _connect(self) -> bool:
        while not self._stop.is_set():
            try:
                self._connection = connect(self._url, "gateway-ingest")
                self._series = TimeSeries(self._connection)
                while not self._stop.is_set():
                    row = self._connection.execute("SELECT pg_try_advisory_lock(%s) AS mine", [_LOCK]).fetchone()
                    if row and row["mine"]:
                        return True
                    log.info("Another ingest process works on this database; waiting for its place.")
                    self._stop.wait(_RETRY_S)
            except TROUBLES as error:
                log.warning("Ingest waits for %s (%s).", count_trouble(error).value, words_of(error))
                self._stop.wait(_RETRY_S)
        return False

    # -- One turn ---------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        messages = self._inbox.take(
            self._settings.batch_max_messages,
            wait=timedelta(milliseconds=200),
            collect=self._settings.batch_max_wait,
            bytes_at_most=self._settings.batch_max_bytes,
        )
        if messages:
            self._oldest = messages[0]
            metrics.RECEIVED.inc(len(messages))
            fresh, entries = self._redelivery.sift(messages)
            if len(fresh) < len(messages):
                metrics.REDELIVERED.inc(len(messages) - len(fresh))
                log.info("%d redelivered messages known again (stage=receive).", len(messages) - len(fresh))
            if fresh and not self._take(fresh, entries):
                return  # stopped before the commit: not acknowledged, so it comes again
            with metrics.stage("acknowledge"), traced(_trace(self._judging.seq)):
                self._link.acknowledge(messages)
                log.log(self._level, "%d messages (stage=acknowledge).", len(messages))
            self._oldest = None
        if time.monotonic() >= self._next_housekeeping:
            self._next_housekeeping = time.monotonic() + _HOUSEKEEPING_S
            self._patiently(self._housekeeping)
            self._retry()

    def _retry(self) -> None:
        """Put what somebody wants tried again on the same road, in a batch of its own."""
        limit = self._settings.batch_max_messages
        asked = self._patiently(lambda: quarantine.retry_asked(self._connection, limit))
        if asked:
            log.info("%d messages of the quarantine are tried again (stage=receive).", len(asked))
            self._take(asked, b"")

    def _take(self, messages: list[Message], entries: bytes) -> bool:
        """Decode, judge and commit, in as many batches as the readings need; false if stopped before the last one."""
        topics = {message.topic for message in messages}
        devices = self._patiently(lambda: self._catalog.devices(self._connection, topics))
        while devices is not None and messages:
            with metrics.stage("decode"):
                batch = decode_batch(messages, devices, self._limits, entries)
            if not self._take_batch(batch, messages[: batch.messages], devices):
                return False
            messages, entries = messages[batch.messages :], entries[len(batch.entries) :]
        return devices is not None

    def _take_batch(self, batch: Batch, messages: list[Message], devices: Mapping[str, Device | Rejected]) -> bool:
        """Judge and commit; a message that the database refuses is found by halving, and quarantined."""
        entries = batch.entries
        try:
            return self._store(batch, messages)
        except (DataError, IntegrityError) as error:
            log.exception("The database refuses a batch of %d messages (stage=store).", len(messages))
            middle = len(messages) // 2
            if middle == 0:
                reason = "refused_by_store"
                device = devices[messages[0].topic]
                own = Rejected(reason, "it could not be stored; support can see why")  # its owner is not told our words
                number = messages[0].quarantined
                heard = [] if number or isinstance(device, Rejected) else [Heard(device.unit_id, messages[0], own)]
                refused = [(messages[0], Rejected(reason, str(error)[:1_000]))]
                tried = [number] if number else ()
                alone = make_batch([], refused, entries, heard, retried=tried, numbers=batch.numbers)
                return self._store(alone, messages)
            cut = ENTRY_BYTES * sum(message.packet_id > 0 for message in messages[:middle])
            return self._take(messages[:middle], entries[:cut]) and self._take(messages[middle:], entries[cut:])

    def _store(self, batch: Batch, messages: Sequence[Message]) -> bool:
        """Judge, commit, and only then take over; false if stopped before the commit."""
        seq = self._judging.seq + 1
        with traced(_trace(seq)):
            with metrics.stage("judge"):
                readings = batch.by_product()
                verdicts = self._patiently(lambda: judge(self._connection, self._judging, readings, self._clock()))
                if verdicts is None:
                    return False
                changes = self._judging.changes(verdicts)
                columns = batch.marked(verdicts)
            kept = self._last.choose(batch.heard, time.monotonic())
            counted = self._receipts.count(batch.numbers)
            self._tell(batch, messages, changes)

            def commit() -> int:
                if m2m.is_committed(self._connection, seq, journal(readings), batch.entries):
                    return 1  # the answer to the first try got lost
                without_room = self._series.make_few(batch.days(), _DAYS_ON_THE_ROAD)
                store = partial(m2m.store_readings, self._connection, columns, without_room=without_room)
                try:
                    return self._commit(seq, batch, store, changes, kept, counted)
                except UniqueViolation:
                    # Something newer than we knew is stored: only the road that looks can take this batch.
                    return self._commit(seq, batch, partial(store, all_known=True), changes, kept, counted)

            with metrics.stage("store"):
                changed = self._patiently(commit)
            if changed is None:
                return False
            log.log(self._level, "Committed as batch %d (stage=store).", seq)
        self._judging.apply(verdicts, seq)
        self._receipts.committed(counted)
        if changed:
            self._patiently(self._wake)
        self._count(batch, messages, changes)
        self._bound()
        return True

    def _tell(self, batch: Batch, messages: Sequence[Message], changes: Sequence[Change]) -> None:
        """Log the first stages of a batch that changes alarms; of the others only who asks for it hears."""
        level = self._level = logging.INFO if changes else logging.DEBUG
        if log.isEnabledFor(level):
            age = (to_us(self._clock()) - messages[0].received_us) / 1e6
            log.log(level, "%d messages, the oldest from %.3f s ago (stage=receive).", len(messages), age)
            log.log(level, "%d readings, %d messages refused (stage=decode).", len(batch.rows), len(batch.refused))
            log.log(level, "%d alarm changes (stage=judge).", len(changes))

    def _count(self, batch: Batch, messages: Sequence[Message], changes: Sequence[Change]) -> None:
        metrics.BATCH.observe(len(messages))
        metrics.STORED.inc(len(messages))
        metrics.READINGS.inc(len(batch.rows))
        if not batch.retried:
            metrics.IGNORED.inc(sum(bool(each.ignored) for each in batch.heard))
            for reason, many in Counter(rejected.reason for _, rejected in batch.refused).items():
                metrics.REFUSED.labels(reason).inc(many)
            if len(batch.rows):
                metrics.DEVICE_LAG.set(batch.device_lag_s())
        for change in changes:
            metrics.ALARMS.labels(change.kind).inc()

    def _lag(self) -> float:
        """Seconds since the oldest message that is not acknowledged came; from any thread."""
        oldest = self._oldest or self._inbox.oldest()
        return (to_us(self._clock()) - oldest.received_us) / 1e6 if oldest else 0.0

    def _bound(self) -> None:
        """Trim the quarantine as soon as a tenth more was kept than it may hold."""
        keep = self._settings.quarantine_max_messages
        if self._untrimmed > keep // 10:
            self._patiently(lambda: quarantine.trim(self._connection, keep))
            self._untrimmed = 0

    def _patiently(self, work: Callable[[], T]) -> T | None:
        """Do it as often as the database cannot; None if stopped before it was done."""
        tries = 0
        while True:
            try:
                if self._connection.closed and not self._come_back():
                    return None
                return work()
            except TROUBLES as error:
                tries += 1
                self._wait_out(error, tries)
                if self._stop.is_set():
                    return None

    def _wait_out(self, error: Exception, tries: int) -> None:
        """Say what is waited for, in the log and as far as the database lets us in our sign of life."""
        trouble = count_trouble(error)
        log.warning("Ingest waits for %s, nothing is acknowledged meanwhile (%s).", trouble.value, words_of(error))
        span = pause(trouble, tries)
        if span and not trouble.loses_connection:
            with suppress(*TROUBLES):
                beat(self._connection, "ingest", {"waiting_for": trouble.value})
        if trouble.loses_connection:
            self._connection.close()
        self._stop.wait(span.total_seconds())

    def _come_back(self) -> bool:
        """Connect again; false if stopped meanwhile. What another process may have done needs a fresh start."""
        if not self._connect():
            return False
        if rules.mark(self._connection).seq > self._judging.seq:
            raise Unavailable("Another ingest process went on in our place; starting anew.")
        return True

    def _commit(
        self,
        seq: int,
        batch: Batch,
        store: Callable[[], m2m.Conflicts],
        changes: list[Change],
        kept: list[Heard],
        counted: Mapping[int, Receipt],
    ) -> int:
        with self._connection.transaction():
            readings = batch.by_product()
            m2m.write_journal(self._connection, seq, self._judging.revision.number, journal(readings), batch.entries)
            keep_unjudged(self._connection, seq, self._judging.unjudged(readings))
            conflicts = store()
            if batch.retried:
                quarantine.settle_retry(self._connection, batch.retried, batch.refused)
            else:
                self._untrimmed += quarantine.quarantine(
                    self._connection,
                    batch.refused,
                    self._settings.quarantine_payload_bytes,
                    self._settings.quarantine_per_unit,
                )
            m2m.keep_last(self._connection, kept, self._settings.last_message_bytes, conflicts)
            m2m.write_receipts(self._connection, counted)
            reported = take_firmware(self._connection, batch.firmware)
            return reported + self._record(changes, self._judging.versions, seq)

    def _record(self, changes: Sequence[Change], versions: Mapping[int, RuleVersion], seq: int) -> int:
        return rules.record_changes(
            self._connection,
            changes,
            versions,
            now=self._clock(),
            historic_after=self._settings.historic_after,
            new_id=self._new_id,
            trace=_trace(seq),
        )

    # -- Now and then -----------------------------------------------------------------------------------------

    def _housekeeping(self) -> bool:
        self._keep_in_step()
        self._resuming.step(self._connection, self._judging, self._record, self._clock())
        if time.monotonic() >= self._next_snapshot:
            self._save()
        if units := m2m.receipts_to_forget(self._connection):
            self._receipts.forget(units)  # first: what is forgotten here only, the next try drops from the table
            m2m.forget_receipts(self._connection, units)
        with self._connection.transaction():
            self._waiting_after = take_waiting(self._connection, self._waiting_after)
        beat(
            self._connection,
            "ingest",
            {
                "waiting_for": None if self._link.connected.is_set() else "the broker",
                "waiting": len(self._inbox),
                "batch": self._judging.seq,
            },
        )
        return True

    def _keep_in_step(self) -> None:
        """Take over a changed catalog, and try suspended products under it."""
        revision = newest_revision(self._connection, self._judging)
        if revision is None:
            return
        self._take_over(follow(self._connection, self._judging, revision, self._clock()))
        wake(self._connection)

    def _take_over(self, judging: Judging) -> None:
        products = judging.revision.products
        self._judging = judging
        self._catalog = Catalog(products)
        self._resuming.ask(judging)
        counting = {product.id for product in products if product.receipts}
        if counting != self._counting:
            self._receipts.load(m2m.receipts(self._connection))
            self._counting = counting

    def _wake(self) -> bool:
        wake(self._connection)
        return True

    def _save(self) -> None:
        keep = self._settings.mqtt_receive_maximum * ENTRY_BYTES
        with self._connection.transaction():
            self._judging.save(self._connection)
            m2m.trim_journal(self._connection, self._judging.seq, keep)
            if self._judging.suspended:
                drop_unjudged(self._connection, self._clock() - self._settings.history_max)
        self._judging.saved()
        self._next_snapshot = time.monotonic() + self._settings.snapshot_every.total_seconds()


def _trace(seq: int) -> str:
    """What log lines, events and notices carry that come of a batch."""
    return f"b-{seq}"
