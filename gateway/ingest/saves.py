"""The rule state is saved partition by partition, in turn, each in a short transaction with its own mark."""

import time
from datetime import timedelta

from gateway.core.partition import PARTITIONS
from gateway.ingest.judging import Judging
from gateway.rules import repository as rules
from gateway.store import Connection


class Saves:
    """Which partition is saved next, and when: a round of all takes `every`."""

    def __init__(self, every: timedelta) -> None:
        self._seconds = every.total_seconds() / PARTITIONS
        self._next_save = time.monotonic() + self._seconds
        self._next_partition = 0
        self._marks: dict[int, rules.Mark] = {}

    def load(self, connection: Connection) -> None:
        """Read up to which batch each partition is saved."""
        self._marks = rules.marks(connection)

    def due(self) -> int:
        """Returns how many partitions are to be saved now; all of them at most."""
        late = time.monotonic() - self._next_save
        if late < 0:
            return 0
        count = int(late / self._seconds) + 1 if self._seconds else PARTITIONS
        if count > PARTITIONS:  # a long stand must not be made up for
            self._next_save = time.monotonic()
        return min(count, PARTITIONS)

    def save_next(self, connection: Connection, judging: Judging) -> bool:
        """Save the next partition, unless it is saved up to this batch. Returns whether that ended a round."""
        partition = self._next_partition
        if judging.mark != self._marks[partition]:
            with connection.transaction():
                judging.save(connection, partition)
            judging.saved(partition)
            self._marks[partition] = judging.mark
        self._next_partition = (partition + 1) % PARTITIONS
        self._next_save += self._seconds
        return self._next_partition == 0
