"""The worker role: alarm events and campaigns become notices, the outbox is drained, and the store is kept in order."""

import logging
import threading
from datetime import UTC, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from gateway import flow, metrics
from gateway.campaigns.candidates import find_candidates
from gateway.campaigns.follow import follow
from gateway.campaigns.tell import tell_due
from gateway.campaigns.withdrawn import tell_withdrawn
from gateway.config import Settings
from gateway.core.clock import Clock, system_clock
from gateway.events import Event, dead_letters, months, place_events, read_next
from gateway.events.log import read_one
from gateway.events.reader import NOTIFY
from gateway.imports import jobs
from gateway.ingest import quarantine
from gateway.logs import traced
from gateway.notify.channels.registry import set_up
from gateway.notify.model import Policy
from gateway.notify.new_owner import note_ownership, tell_new_owners
from gateway.notify.send.outbox import drain
from gateway.notify.send.senders import Senders
from gateway.notify.service import handle
from gateway.readings import conflicting
from gateway.roles import maintenance
from gateway.roles.measured import Measured
from gateway.roles.signals import stop_on_signal
from gateway.store import (
    TROUBLES,
    Connection,
    Database,
    connect,
    count_trouble,
    holds_up_all,
    pause,
    trouble_of,
    words_of,
)
from gateway.store.beat import beat
from gateway.store.locks import Lock, try_lock
from gateway.store.timeseries import TimeSeries
from gateway.store.wakeup import listen, wait, wake

log = logging.getLogger(__name__)

READER = NOTIFY
"""Its place in the event log."""
_AGAIN_AT_ONCE = 20
"""Dead letters that one turn tries again: what is new comes first."""
LOCK_WAIT = timedelta(seconds=1)
"""What waits longer for a lock, say for an approval that is open, is put off: alarms behind it do not wait."""
_RETRY_S = 1.0


class Worker:
    """Reads the event log behind its place, which moves in the transaction of what was done about it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._policy = Policy(
            settings.merge_window, settings.notices_per_hour, set_up(settings), settings.follow_up_after
        )
        self.senders = Senders(settings, database, clock)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        scheduler = BackgroundScheduler(timezone=UTC)
        # The default grace of one second would silently skip a late run.
        scheduler.add_job(
            self.maintain, "interval", hours=1, next_run_time=self._clock(), misfire_grace_time=None, coalesce=True
        )
        scheduler.start()
        running_jobs = jobs.JobThread(self._database.url, self._clock)
        try:
            running_jobs.start()
            while not stop.is_set():
                try:
                    with connect(self._database.url, "gateway-worker") as listener, self.senders.running():
                        listen(listener)
                        self._work(stop, listener)
                except TROUBLES as error:
                    log.warning("The worker waits for %s (%s).", count_trouble(error).value, words_of(error))
                    stop.wait(_RETRY_S)
        finally:
            running_jobs.stop()
            scheduler.shutdown()

    def _work(self, stop: threading.Event, listener: Connection) -> None:
        tries = 0
        waiting_for: str | None = None
        while not stop.is_set():
            beat(listener, "worker", {"waiting_for": waiting_for})
            try:
                turned = self.turn()
            except TROUBLES as error:
                if trouble_of(error).loses_connection:
                    raise
                tries += 1
                waiting_for = count_trouble(error).value
                log.warning("The worker waits for %s (%s).", waiting_for, words_of(error))
                stop.wait(pause(trouble_of(error), tries).total_seconds())
                continue
            tries, waiting_for = 0, None
            self.senders.wake()
            if turned:
                wake(listener)
            else:
                wait(listener, self._settings.wakeup_fallback)

    def turn(self) -> int:
        """Handle the next events and what is due; returns how many there were."""
        with self._database.connection() as tx:
            # It commits by itself, on the connection that then reads: each round trip is part of the reaction.
            place_events(tx)
            with tx.transaction():
                events = read_next(tx, READER, self._settings.outbox_batch)
                for event in events:
                    self._handle(tx, event, 1)
                # While the reader's place is held: an alarm that clears is handled before this, or after it.
                inherited = tell_new_owners(tx, self._clock(), self._settings.outbox_batch, self._policy, flow.NOTICE)
                again = self._try_again(tx)
        with self._database.transaction() as tx:
            withdrawn = tell_withdrawn(tx, self._settings.outbox_batch)
        with self._database.transaction() as tx:
            looked = tell_due(tx, self._clock(), self._settings.outbox_batch, self._policy, flow.NOTICE)
        with self._database.transaction() as tx:
            looked += find_candidates(tx, self._clock())
        with self._database.transaction() as tx:
            delivered = drain(tx, self._clock(), self._settings.outbox_batch)
            self.senders.outbox.skip_unserved(tx, self._clock(), self._settings.outbox_batch)
        metrics.EVENTS.inc(len(events))
        if delivered:
            log.info("%d deliveries ended (stage=deliver).", delivered)
        return delivered + looked + withdrawn + inherited + again + len(events)

    def _try_again(self, tx: Connection) -> int:
        """Handle dead letters that are due; returns how many there were."""
        letters = dead_letters.due(tx, READER, self._clock(), _AGAIN_AT_ONCE)
        for letter in letters:
            event = read_one(tx, letter.place)
            if event is None or self._handle(tx, event, letter.attempts + 1):
                dead_letters.settle(tx, READER, letter.place)
        return len(letters)

    def _handle(self, tx: Connection, event: Event, attempt: int) -> bool:
        """Handle one event; one that cannot be handled is kept for another try, and holds up nobody else's notices."""
        with traced(event.data.get("trace")):
            try:
                with tx.transaction():
                    handle(tx, event, flow.NOTICE, now=self._clock(), policy=self._policy)
                    note_ownership(tx, event, self._clock())
                    follow(tx, event, self._clock())
            except Exception as error:
                if holds_up_all(error):
                    raise
                log.exception("Event %s cannot be handled (try %d); it is tried again later.", event.position, attempt)
                metrics.UNHANDLED.inc()
                dead_letters.keep(tx, READER, event, attempt, error, self._clock())
                return False
            return True

    def maintain(self) -> None:
        """Make room for tomorrow, forget what is too old, keep the quarantine bounded."""
        with connect(self._database.url, "gateway-maintenance") as connection:
            if not try_lock(connection, Lock.MAINTENANCE):
                return
            today = self._clock().date()
            self._maintain_events(connection)
            series = TimeSeries(connection)
            series.ensure_days([today, today + timedelta(days=1)])
            dropped = series.drop_before(today - self._settings.history_max)
            maintenance.forget_old(connection, self._settings, self._clock())
            trimmed = quarantine.trim(connection, self._settings.quarantine_max_messages)
            conflicting.trim(connection, self._clock() - self._settings.history_max)
            log.info("Maintenance: %d days dropped, %d quarantined messages trimmed.", dropped, trimmed)

    def _maintain_events(self, connection: Connection) -> None:
        """Make room for the next months' events, and drop those that are kept no longer."""
        months.ensure_months(connection)
        if self._settings.event_history is None:
            return
        try:
            dropped = months.drop_before(connection, (self._clock() - self._settings.event_history).date())
        except TROUBLES as error:
            log.warning("Old events stay until the next hour: %s (%s).", count_trouble(error).value, words_of(error))
        else:
            log.info("Maintenance: %d months of events dropped.", dropped)


def run(settings: Settings, url: str) -> None:
    """Turn alarms into notices and send them until told to stop."""
    with Database(url, "gateway-worker", lock_wait=LOCK_WAIT) as database:
        Measured(database, READER)
        metrics.serve(settings.metrics_host, settings.metrics_port_worker)
        Worker(settings, database, system_clock).run(stop_on_signal())
