"""The worker's thread that rolls readings up, and deletes those that products keep shorter, in short transactions."""

import logging
import threading
import time
from datetime import timedelta

from gateway.core.clock import EPOCH, Clock
from gateway.readings import retention, rollups
from gateway.readings.retention import Kept
from gateway.readings.rollups import Mark
from gateway.store import TROUBLES, Connection, connect, count_trouble, words_of
from gateway.store.locks import Lock, try_lock

log = logging.getLogger(__name__)

_PAUSE_S = 5.0
"""Between looks when nothing was to do, and before another try."""
_TURN_S = 0.25
"""What a transaction should take: after one that took longer fewer metrics of units are taken together."""
_FIRST, _MOST = 10, 5_000
_TOUCHED_MOST = 1_000
_FLOORS_EVERY = timedelta(minutes=10)
_FAR_BEHIND = timedelta(hours=6)


def next_size(size: int, took_s: float) -> int:
    """How many to take together next, after so many took so long."""
    if took_s > _TURN_S:
        return max(1, size // 2)
    return min(_MOST, size * 2) if took_s < _TURN_S / 4 else size


class Rolling:
    """The steps, over one connection that holds the lock. What they have done stands in the database alone."""

    def __init__(self, connection: Connection, clock: Clock, kept: Kept) -> None:
        connection.execute("SET enable_seqscan = off")  # of a table filled a moment ago the planner knows no size
        self._connection = connection
        self._clock = clock
        self._kept = kept
        self._writers: frozenset[str] | None = None
        """Transactions that may write into closed hours without noting it; None: not looked yet."""
        self.size = _FIRST
        """Metrics of units that the next step takes together."""
        self.units = _FIRST
        self._is_rolled_up = False
        self._touched_from = EPOCH
        self._floors_due = EPOCH

    def turn(self) -> bool:
        """Do one step of each kind. Returns whether there is more to do."""
        mark = rollups.mark(self._connection)
        if mark is None:
            return False
        rolled = self._roll(self._close(mark))
        touched = self._recount()
        deleted = self._delete()
        return rolled or touched or deleted

    def _close(self, mark: Mark) -> Mark:
        to = rollups.closing(self._clock())
        if mark.closed_to is None or mark.closed_to < to:
            self._writers = rollups.close_hours(self._connection, to)
            mark = rollups.mark(self._connection) or mark
        elif self._writers is None:
            self._writers = rollups.writers(self._connection)
        elif self._writers:
            self._writers &= rollups.writers(self._connection)
        return mark if self._writers else rollups.begin_span(self._connection, mark)

    def _roll(self, mark: Mark) -> bool:
        self._is_rolled_up = mark.rolling_to is None
        if self._is_rolled_up:
            return False
        began = time.monotonic()
        moved = rollups.roll(self._connection, mark, self.size)
        self.size = next_size(self.size, time.monotonic() - began)
        if moved.rolled_to != mark.rolled_to and moved.rolled_to is not None:
            behind = self._clock() - moved.rolled_to
            level = logging.INFO if behind > _FAR_BEHIND else logging.DEBUG
            log.log(level, "Readings are rolled up to %s.", f"{moved.rolled_to:%Y-%m-%d %H:%M}")
        return True

    def _recount(self) -> bool:
        day = rollups.next_touched(self._connection, self._touched_from)
        if day is None:
            was_all = self._touched_from == EPOCH
            self._touched_from = EPOCH
            return not was_all
        rollups.recount_touched(self._connection, day, _TOUCHED_MOST)
        self._touched_from = day + rollups.DAY  # one day after the other, so that none waits for a busy one
        return True

    def _delete(self) -> bool:
        now = self._clock()
        if self._is_rolled_up and now >= self._floors_due:
            retention.raise_floors(self._connection, self._kept, now.date())
            self._floors_due = now + _FLOORS_EVERY
        began = time.monotonic()
        count = retention.delete_some(self._connection, self.units)
        self.units = next_size(self.units, time.monotonic() - began) if count else self.units
        return count > 0


class RollerThread:
    """A thread of the worker; of several workers one rolls up, and another goes on where it ended."""

    def __init__(self, url: str, clock: Clock, kept: Kept) -> None:
        self._url = url
        self._clock = clock
        self._kept = kept
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollups", daemon=True)

    def start(self) -> None:
        """Begin to roll up."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the present step."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._url, "gateway-rollups") as connection:
                    if try_lock(connection, Lock.ROLL_UP):
                        self._turns(Rolling(connection, self._clock, self._kept))
            except TROUBLES as error:
                log.warning("Rolling up waits for %s (%s).", count_trouble(error).value, words_of(error))
            except Exception:
                log.exception("Rolling up broke; it is tried again.")
            self._stop.wait(_PAUSE_S)

    def _turns(self, rolling: Rolling) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            is_more = rolling.turn()
            # As long as it worked, it leaves the machine to the stream.
            self._stop.wait(time.monotonic() - began if is_more else _PAUSE_S)
