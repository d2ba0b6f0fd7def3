"""The worker role: alarm events and campaigns become notices, which are sent, and the store is kept in order."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from gateway import flow, metrics
from gateway.campaigns.candidates import UNIT_CHANGED, UNITS_CHANGED, compare_all
from gateway.campaigns.follow import follow
from gateway.config import Settings
from gateway.core.clock import Clock, system_clock
from gateway.events import Event, dead_letters, months, place_events, read_next
from gateway.events.log import read_one
from gateway.events.reader import NOTIFY
from gateway.imports import jobs
from gateway.ingest import quarantine
from gateway.logs import traced
from gateway.notify import alarms, attention
from gateway.notify.channels.registry import set_up
from gateway.notify.model import Policy
from gateway.notify.send.senders import Senders
from gateway.readings import conflicting, retention, rollups
from gateway.readings.roller import RollerThread
from gateway.roles import maintenance
from gateway.roles.measured import Measured
from gateway.roles.signals import stop_on_signal
from gateway.roles.steps import Steps
from gateway.roles.turns import RETRY_S, Turns
from gateway.store import (
    TROUBLES,
    Connection,
    Database,
    connect,
    count_trouble,
    words_of,
)
from gateway.store.beat import beat
from gateway.store.halved import in_halves
from gateway.store.locks import Lock, try_lock
from gateway.store.timeseries import TimeSeries
from gateway.support.products import figures
from gateway.text import catalog

log = logging.getLogger(__name__)

READER = NOTIFY
"""Its place in the event log."""
_READS_AHEAD = 10
"""How many times `notify_batch` events one turn reads, where all of them are of alarms, or of no kind to act on."""
_AGAIN_AT_ONCE = 20
"""Dead letters that one turn tries again: what is new comes first."""
LOCK_WAIT = timedelta(seconds=1)
"""What waits longer for a lock, say for an approval that is open, is put off: alarms behind it do not wait."""
_IN_ROWS = timedelta(days=3)
"""How long readings stay in rows on TimescaleDB: what comes late mostly comes within."""
_ALARMS = frozenset({alarms.RAISED, alarms.CLEARED})
_OF_UNITS = alarms.NEW_OWNER | UNIT_CHANGED
"""Events of single units, which grow with them: they are acted on in sets, as alarms are."""
_ONE_BY_ONE = attention.LEARNED_FROM | alarms.NEW_OWNERS | UNITS_CHANGED
"""Events of what people do and of whole imports, which are acted on one by one; all others are not acted on at all."""

TriedEvent = tuple[Event, int]
"""An event, and how often it was tried before."""


class Worker:
    """Reads the event log behind its place, which moves in the transaction of what was done about it."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._policy = Policy(
            settings.merge_window, settings.notices_per_hour, set_up(settings), settings.follow_up_after
        )
        self._kept = retention.Kept(settings.history_max, settings.hour_history, settings.day_history)
        self.senders = Senders(settings, database, clock)
        self._steps = Steps(settings, database, clock, self._policy, self.senders.outbox)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        scheduler = BackgroundScheduler(timezone=UTC)
        # The default grace of one second would silently skip a late run.
        scheduler.add_job(
            self.maintain, "interval", hours=1, next_run_time=self._clock(), misfire_grace_time=None, coalesce=True
        )
        scheduler.add_job(
            partial(self.count_figures, stop),
            "interval",
            seconds=figures.EVERY.total_seconds(),
            next_run_time=self._clock(),
            misfire_grace_time=None,
            coalesce=True,
        )
        scheduler.start()
        running_jobs = jobs.JobThread(self._database.url, self._clock)
        roller = RollerThread(self._database.url, self._clock, self._kept)
        try:
            running_jobs.start()
            roller.start()
            while not stop.is_set():
                try:
                    self._work(stop)
                except TROUBLES as error:
                    log.warning("The worker waits for %s (%s).", count_trouble(error).value, words_of(error))
                    stop.wait(RETRY_S)
        finally:
            roller.stop()
            running_jobs.stop()
            scheduler.shutdown()

    def _work(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises a trouble that loses the connection."""
        idle = self._settings.wakeup_fallback
        events = Turns("worker", self.handle_events, idle)
        steps = Turns("worker-steps", self.do_steps, idle)
        url = self._database.url
        with connect(url, "gateway-worker") as listener, self.senders.running(), steps.running(url):
            events.repeat(
                listener,
                stop,
                before=lambda: beat(listener, "worker", {"waiting_for": events.waiting_for or steps.waiting_for}),
            )

    def turn(self) -> int:
        """Do what both threads do in a turn, one after the other; returns how much there was."""
        return self.handle_events() + self.do_steps()

    def handle_events(self) -> int:
        """Handle the next events, and tell of alarms that are due; returns how many there were."""
        limit = self._settings.notify_batch
        with self._database.connection() as tx:
            # It commits by itself, on the connection that then reads: each round trip is part of the reaction.
            place_events(tx)
            with tx.transaction():
                event_count = self._read(tx, limit)
                again = self._try_again(tx)
                # While the reader's place is held: an alarm that clears is handled before this, or after it.
                alarm_count = alarms.tell_due(tx, self._clock(), limit, self._policy, flow.NOTICE)
        metrics.EVENTS.inc(event_count)
        if alarm_count:
            self.senders.wake()
        return event_count + again + alarm_count

    def do_steps(self) -> int:
        """Do what is due beside events; returns how much there was."""
        count = self._steps.turn()
        self.senders.wake()
        return count

    def _read(self, tx: Connection, limit: int) -> int:
        """Handle the next events; returns how many there were.

        Alarms are only noted here, so they are read far ahead: a safety alarm behind a storm of others is seen at once.
        """
        total = 0
        for _ in range(_READS_AHEAD):
            events, count = read_next(tx, READER, limit, _ALARMS | _OF_UNITS | _ONE_BY_ONE)
            self._handle(tx, [(event, 0) for event in events])
            total += count
            if count < limit or any(event.kind not in _ALARMS for event in events):
                break
        return total

    def _try_again(self, tx: Connection) -> int:
        """Handle dead letters that are due; returns how many there were."""
        letters = dead_letters.due(tx, READER, self._clock(), _AGAIN_AT_ONCE)
        events = []
        for letter in letters:
            dead_letters.settle(tx, READER, letter.place)  # one that fails again is kept again
            if event := read_one(tx, letter.place):
                events.append((event, letter.attempts))
        self._handle(tx, events)
        return len(letters)

    def _handle(self, tx: Connection, events: Sequence[TriedEvent]) -> None:
        """Handle events; one that cannot be handled is kept for another try, and holds up nobody else's notices."""
        now = self._clock()

        def note_raised(part: Sequence[TriedEvent]) -> None:
            alarms.note_raised(tx, part, now)

        def resolve_cleared(part: Sequence[TriedEvent]) -> None:
            alarms.resolve_cleared(tx, [event.data["alarm_id"] for event, _ in part], now)

        def follow_units(part: Sequence[TriedEvent]) -> None:
            unit_events = [event for event, _ in part if event.unit_id is not None]
            alarms.note_claimed(tx, unit_events, now)
            follow(tx, unit_events, now)

        for kinds, act in (
            ({alarms.RAISED}, note_raised),
            ({alarms.CLEARED}, resolve_cleared),
            (_OF_UNITS, follow_units),
        ):
            in_halves(tx, [each for each in events if each[0].kind in kinds], act, partial(self._keep, tx))
        for each in events:
            if each[0].kind in _ONE_BY_ONE:
                in_halves(tx, [each], partial(self._handle_one, tx), partial(self._keep, tx))

    def _handle_one(self, tx: Connection, events: Sequence[TriedEvent]) -> None:
        now = self._clock()
        for event, _ in events:
            with traced(event.data.get("trace")):
                attention.learn_from_event(tx, event, now)
                alarms.note_imported(tx, event, now)
                compare_all(tx, event, now)

    def _keep(self, tx: Connection, tried: TriedEvent, error: Exception) -> None:
        event, tries = tried
        log.error(
            "Event %s cannot be handled (try %d); it is tried again later.", event.position, tries + 1, exc_info=error
        )
        metrics.UNHANDLED.inc()
        dead_letters.keep(tx, READER, event, tries + 1, error, self._clock())

    def count_figures(self, stop: threading.Event) -> None:
        """Count the figures of products, if it is time."""
        try:
            with connect(self._database.url, "gateway-figures") as connection:
                if try_lock(connection, Lock.FIGURES):
                    figures.count_all(connection, self._clock, stop)
        except TROUBLES as error:
            log.warning("Figures are counted later: %s (%s).", count_trouble(error).value, words_of(error))

    def maintain(self) -> None:
        """Make room for tomorrow, forget what is too old, keep the quarantine bounded."""
        with connect(self._database.url, "gateway-maintenance") as connection:
            if not try_lock(connection, Lock.MAINTENANCE):
                return
            today = self._clock().date()
            self._maintain_events(connection)
            series = TimeSeries(connection)
            series.ensure_days([today, today + timedelta(days=1)])
            dropped = retention.drop_whole(connection, self._kept, today)
            maintenance.forget_old(connection, self._settings, self._clock())
            trimmed = quarantine.trim(connection, self._settings.quarantine_max_messages)
            conflicting.trim(connection, self._clock() - self._settings.history_max)
            log.info("Maintenance: %d days dropped, %d quarantined messages trimmed.", dropped, trimmed)
            self._maintain_columnstore(connection, series, today)

    def _maintain_columnstore(self, connection: Connection, series: TimeSeries, today: date) -> None:
        """Put days into TimescaleDB's columnstore that are old enough and rolled up."""
        mark = rollups.mark(connection)
        if mark is None or mark.rolled_to is None:
            return
        try:
            converted = series.to_columnstore(min(today - _IN_ROWS, mark.rolled_to.date()))
        except TROUBLES as error:
            log.warning("Days stay in rows until the next hour: %s (%s).", count_trouble(error).value, words_of(error))
        else:
            log.info("Maintenance: %d days put into the columnstore.", converted)

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
    catalog().load()
    with Database(url, "gateway-worker", lock_wait=LOCK_WAIT) as database:
        Measured(database, READER)
        metrics.serve(settings.metrics_host, settings.metrics_port_worker)
        Worker(settings, database, system_clock).run(stop_on_signal())
