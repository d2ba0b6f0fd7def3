"""Metrics from the database, counted at each scrape, so that a stuck worker cannot hide its backlog."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.catalog.repository import suspensions
from gateway.events import dead_letters, place_events, unread_events
from gateway.events.reader import unplaced_events
from gateway.ingest import quarantine
from gateway.notify import repository as notify
from gateway.readings import rollups
from gateway.store import TROUBLES, Connection, Database, count_trouble, words_of
from gateway.store.waits import lock_waits

log = logging.getLogger(__name__)


class Measured(Collector):
    """Queries the database at each scrape; while it is away, the only metric is that."""

    def __init__(self, database: Database, reader: str) -> None:
        self._database = database
        self._reader = reader
        REGISTRY.register(self)

    def describe(self) -> Iterable[Metric]:
        """Returns nothing, so that registering does not query the database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Returns all metrics, or only that the database does not answer."""
        database_up = GaugeMetricFamily("gateway_database_up", "1 while the database answers.")
        try:
            with self._database.read() as connection:
                measures = list(_measure(connection, self._reader))
        except TROUBLES as error:
            log.warning("The metrics wait for %s (%s).", count_trouble(error).value, words_of(error))
            database_up.add_metric([], 0)
            return [database_up]
        database_up.add_metric([], 1)
        return [database_up, *measures]


def _measure(connection: Connection, reader: str) -> Iterable[Metric]:
    waiting = GaugeMetricFamily("gateway_outbox_waiting", "Deliveries that wait.", labels=["channel"])
    overdue = GaugeMetricFamily(
        "gateway_outbox_overdue_seconds", "How long the oldest delivery has been due.", labels=["channel"]
    )
    for row in notify.backlog(connection):
        waiting.add_metric([row["channel"]], row["waiting"])
        overdue.add_metric([row["channel"]], row["overdue_s"])
    with suppress(*TROUBLES):  # then they are counted as without a place
        place_events(connection)
    unread = unread_events(connection, reader)
    events = GaugeMetricFamily("gateway_events_unread", "Events the worker has not handled; counted to 10,000.")
    events.add_metric([], unread.count)
    lag = GaugeMetricFamily("gateway_events_lag_seconds", "Age of the oldest of them.")
    lag.add_metric([], unread.age_s)
    unplaced = GaugeMetricFamily("gateway_events_unplaced", "Committed events that wait for a place.")
    unplaced.add_metric([], unplaced_events(connection).count)
    failed = GaugeMetricFamily("gateway_events_failed", "Events that could not be handled and are tried again.")
    failed.add_metric([], dead_letters.count(connection))
    locks = GaugeMetricFamily("gateway_lock_wait_seconds", "Longest wait of our sessions for a lock.", labels=["who"])
    longest: dict[str, float] = {}
    for wait in lock_waits(connection, timedelta()):
        longest[wait.who] = max(longest.get(wait.who, 0.0), wait.waited.total_seconds())
    for program, seconds in longest.items():
        locks.add_metric([program], seconds)
    kept_messages = GaugeMetricFamily("gateway_quarantine_messages", "Messages in quarantine.", labels=["reason"])
    refused_ever = GaugeMetricFamily(
        "gateway_quarantine_ever", "Messages ever refused, restarts or not.", labels=["reason"]
    )
    trimmed = GaugeMetricFamily("gateway_quarantine_trimmed", "Of them, gone for want of room.", labels=["reason"])
    for row in quarantine.counts(connection):
        kept_messages.add_metric([row["reason"]], row["here"])
        refused_ever.add_metric([row["reason"]], row["messages"])
        trimmed.add_metric([row["reason"]], row["trimmed"])
    suspended = GaugeMetricFamily("gateway_products_suspended", "Products whose readings are stored and not judged.")
    suspended.add_metric([], len(suspensions(connection)))
    touched = GaugeMetricFamily("gateway_rollup_hours_touched", "Hours to be counted again; counted to 10,000.")
    touched.add_metric([], rollups.count_touched(connection))
    rolled = GaugeMetricFamily("gateway_rollup_behind_seconds", "Closed hours that are not rolled up yet.")
    if (mark := rollups.mark(connection)) and mark.closed_to and mark.rolled_to:
        rolled.add_metric([], (mark.closed_to - mark.rolled_to).total_seconds())
    of_rollups = (rolled, touched)
    return (
        waiting,
        overdue,
        events,
        lag,
        unplaced,
        failed,
        locks,
        kept_messages,
        refused_ever,
        trimmed,
        suspended,
        *of_rollups,
    )
