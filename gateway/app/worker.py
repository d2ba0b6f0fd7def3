"""The worker role: alarm events and campaigns become notices, the outbox is drained, and the store is kept in order."""

import logging
import threading
from datetime import UTC, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from gateway import flow, metrics
from gateway.accounts.service import forget_old
from gateway.app import retention
from gateway.app.post import Post
from gateway.campaigns.candidates import find_candidates
from gateway.campaigns.follow import follow
from gateway.campaigns.tell import tell_due
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.events import Event, append, read_next
from gateway.logs import traced
from gateway.m2m import quarantine
from gateway.notify.model import Policy
from gateway.notify.new_owner import note_ownership, tell_new_owners
from gateway.notify.outbox import drain
from gateway.notify.reach import channels_of
from gateway.notify.service import handle
from gateway.store import Connection, Database, OperationalError, connect
from gateway.store.beat import beat
from gateway.store.timeseries import TimeSeries
from gateway.store.wakeup import listen, wait, wake

log = logging.getLogger(__name__)

READER = "notify"
"""Its place in the event log."""
_MAINTENANCE_LOCK = 7_402_204
_RETRY_S = 1.0


class Worker:
    """Reads the event log behind its place, which moves in the transaction of what was done about it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._policy = Policy(
            settings.merge_window, settings.notices_per_hour, channels_of(settings), settings.follow_up_after
        )
        self._post = Post(settings, database, clock)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        scheduler = BackgroundScheduler(timezone=UTC)
        # The default grace of one second would silently skip a late run.
        scheduler.add_job(
            self._maintain, "interval", hours=1, next_run_time=self._clock(), misfire_grace_time=None, coalesce=True
        )
        scheduler.start()
        try:
            while not stop.is_set():
                try:
                    with connect(self._database.url, "gateway-worker") as listener, self._post.running():
                        listen(listener)
                        self._work(stop, listener)
                except OperationalError as error:
                    log.warning("The database does not answer (%s).", str(error).strip())
                    stop.wait(_RETRY_S)
        finally:
            scheduler.shutdown()

    def _work(self, stop: threading.Event, listener: Connection) -> None:
        while not stop.is_set():
            beat(listener, "worker", {})
            turned = self.turn()
            self._post.wake()
            if turned:
                wake(listener)
            else:
                wait(listener, self._settings.wakeup_fallback)

    def turn(self) -> int:
        """Handle the next events and what is due; answers how many there were."""
        with self._database.transaction() as tx:
            events = read_next(tx, READER, self._settings.outbox_batch)
            for event in events:
                self._handle(tx, event)
            # While the reader's place is held: an alarm that clears is handled before this, or after it.
            inherited = tell_new_owners(tx, self._clock(), self._settings.outbox_batch, self._policy, flow.NOTICE)
        with self._database.transaction() as tx:
            looked = tell_due(tx, self._clock(), self._settings.outbox_batch, self._policy, flow.NOTICE)
        with self._database.transaction() as tx:
            looked += find_candidates(tx, self._clock())
        with self._database.transaction() as tx:
            delivered = drain(tx, self._clock(), self._settings.outbox_batch)
            self._post.outbox.skip_unserved(tx, self._clock(), self._settings.outbox_batch)
        metrics.EVENTS.inc(len(events))
        if delivered:
            log.info("%d deliveries ended (stage=deliver).", delivered)
        return delivered + looked + inherited + len(events)

    def _handle(self, tx: Connection, event: Event) -> None:
        """Handle one event; one that cannot be handled is told in the log and holds up nobody else's notices."""
        with traced(event.data.get("trace")):
            self._handle_traced(tx, event)

    def _handle_traced(self, tx: Connection, event: Event) -> None:
        try:
            with tx.transaction():
                handle(tx, event, flow.NOTICE, now=self._clock(), policy=self._policy)
                note_ownership(tx, event, self._clock())
                follow(tx, event, self._clock())
        except OperationalError:
            raise
        except Exception as error:
            log.exception("Event %s cannot be handled; nobody is told of it.", event.position)
            metrics.UNHANDLED.inc()
            told = {"event": str(event.position), "of": event.kind, "error": repr(error)}
            append(tx, "event.unhandled", told, unit_id=event.unit_id, person_id=event.person_id)

    def _maintain(self) -> None:
        """Make room for tomorrow, forget what is too old, keep the quarantine bounded."""
        with connect(self._database.url, "gateway-maintenance") as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s) AS mine", [_MAINTENANCE_LOCK]).fetchone()
            if not row or not row["mine"]:
                return
            today = self._clock().date()
            series = TimeSeries(connection)
            series.ensure_days([today, today + timedelta(days=1)])
            dropped = series.drop_before(today - self._settings.history_max)
            forget_old(connection, self._clock())
            retention.forget_old(connection, self._settings, self._clock())
            trimmed = quarantine.trim(connection, self._settings.quarantine_max_messages)
            log.info("Maintenance: %d days dropped, %d quarantined messages trimmed.", dropped, trimmed)
