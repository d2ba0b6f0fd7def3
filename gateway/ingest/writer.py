"""Ingest's connection for writing: it holds the writer's place, and comes back when the database does."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from gateway.core.errors import Unavailable
from gateway.rules import repository as rules
from gateway.store import TROUBLES, Connection, connect, count_trouble, pause, words_of
from gateway.store.beat import beat
from gateway.store.locks import Lock, try_lock
from gateway.store.timeseries import TimeSeries

log = logging.getLogger(__name__)

_RETRY_S = 1.0

T = TypeVar("T")


class Writer:
    """One process at a time has the writer's place, by an advisory lock; one thread at a time uses the connection."""

    def __init__(self, url: str, committed: Callable[[], int]) -> None:
        """`committed` returns the number of the last batch that this process knows to be committed."""
        self._url = url
        self._committed = committed
        self.stop = threading.Event()
        self.connection: Connection
        self.series: TimeSeries

    def open(self) -> bool:
        """Connect and wait for the writer's place. Returns false if stopped meanwhile."""
        while not self.stop.is_set():
            try:
                self.connection = connect(self._url, "gateway-ingest")
                self.series = TimeSeries(self.connection)
                while not self.stop.is_set():
                    if try_lock(self.connection, Lock.INGEST):
                        return True
                    log.info("Another ingest process works on this database; waiting for its place.")
                    self.stop.wait(_RETRY_S)
            except TROUBLES as error:
                log.warning("Ingest waits for %s (%s).", count_trouble(error).value, words_of(error))
                self.stop.wait(_RETRY_S)
        if hasattr(self, "connection"):
            self.connection.close()  # without the place nothing may be done over it
        return False

    def keep_trying(self, work: Callable[[], T]) -> T | None:
        """Do the work, again and again while the database is in trouble. Returns None if stopped before it was done."""
        tries = 0
        while True:
            try:
                if self.connection.closed and not self._come_back():
                    return None
                return work()
            except TROUBLES as error:
                tries += 1
                self._wait_out(error, tries)
                if self.stop.is_set():
                    return None

    def _wait_out(self, error: Exception, tries: int) -> None:
        """Report what is waited for, in the log and, where the database allows it, in the sign of life; then wait."""
        trouble = count_trouble(error)
        log.warning("Ingest waits for %s, nothing is acknowledged meanwhile (%s).", trouble.value, words_of(error))
        span = pause(trouble, tries)
        if span and not trouble.loses_connection:
            with suppress(*TROUBLES):
                beat(self.connection, "ingest", {"waiting_for": trouble.value})
        if trouble.loses_connection:
            self.connection.close()
        self.stop.wait(span.total_seconds())

    def _come_back(self) -> bool:
        """Connect again; false if stopped meanwhile. Raises Unavailable if another process wrote batches meanwhile."""
        if not self.open():
            return False
        if max(mark.seq for mark in rules.marks(self.connection).values()) > self._committed():
            raise Unavailable("Another ingest process went on in our place; starting anew.")
        return True
