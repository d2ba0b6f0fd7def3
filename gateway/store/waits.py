"""Which of our sessions wait for a lock, how long, and who holds it, as the server reports it."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.store.database import Connection, Row
from gateway.store.queries import queries

LOCK_AFTER = timedelta(seconds=5)
"""Only longer waits for a lock are reported; shorter ones are normal."""


@dataclass(frozen=True, slots=True)
class LockWait:
    """A session of the gateway that waits for a lock, and the session that holds it or waits before it."""

    who: str
    waited: timedelta
    holder: str

    def __str__(self) -> str:
        return f"a lock, for {self.waited.total_seconds():.0f} s, that {self.holder} has"


def lock_waits(connection: Connection, longer_than: timedelta) -> list[LockWait]:
    """Returns waits, the longest first; sessions of other users are shown as far as our rights go."""
    rows = connection.execute(queries.lock_waits, {"longer_than": longer_than})
    return [LockWait(row["who"], row["waited"], _holder(row)) for row in rows]


def _holder(row: Row) -> str:
    if row["holder"] is None:
        return "a session that just ended"
    if row["holder"] == 0:
        return "a prepared transaction"
    program = row["program"] or f"a program of user {row['user']}"
    doing = f", {row['state']}" if row["state"] else ""
    since = f", in a transaction for {row['age'].total_seconds():.0f} s" if row["age"] else ""
    return f"session {row['holder']} ({program}{doing}{since})"
