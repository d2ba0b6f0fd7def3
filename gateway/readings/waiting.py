"""Moves readings that wait for the partition of their day, in a thread of ingest beside the stream.

A message over hundreds of days is stored, judged and acknowledged at once; making its partitions takes much longer.
"""

import logging
import threading
from datetime import UTC, datetime, time, timedelta

import numpy as np

from gateway.core.clock import to_us
from gateway.readings.repository import queries, store_staged
from gateway.store import TROUBLES, Connection, IntegrityError, connect
from gateway.store.timeseries import TimeSeries

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 5_000
"""The most readings moved in one transaction, which takes some hundredths of a second."""
_PAUSE_S = 1.0


class WaitingReadings:
    """Moves waiting readings until it is stopped, over its own connection."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(self, stop: threading.Event) -> None:
        """Look once a second for waiting readings, and move all of them. While the database is away, try again."""
        while not stop.is_set():
            try:
                with connect(self._url, "gateway-waiting") as connection:
                    while not stop.is_set():
                        # Maintenance may drop days, so the existing ones are looked up each time.
                        if not move_waiting(connection, TimeSeries(connection)):
                            stop.wait(_PAUSE_S)
            except (*TROUBLES, IntegrityError) as error:  # its day may just be dropped
                log.warning("Readings that wait for their day stay where they are (%s).", str(error).strip())
                stop.wait(_PAUSE_S)


def move_waiting(connection: Connection, series: TimeSeries, limit: int = ROWS_AT_ONCE) -> int:
    """Make the newest day with waiting readings, and move some of them in one transaction. Returns the number.

    A stored reading stays; a waiting one with another value is kept as conflicting.
    """
    newest = connection.execute(queries.newest_waiting).fetchone()
    if newest is None or newest["time"] is None:
        return 0
    begin = datetime.combine(newest["time"].date(), time(), UTC)
    with connection.transaction():
        series.ensure_days([begin.date()])
        connection.execute(queries.stage)
        span = {"begin": begin, "end": begin + timedelta(days=1), "limit": limit}
        moved = connection.execute(queries.stage_waiting, span).rowcount
        store_staged(connection, np.array([to_us(begin)]))
        connection.execute(queries.note_touched)
    return moved
