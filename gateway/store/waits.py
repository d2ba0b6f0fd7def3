"""Which of our sessions wait for a lock, for how long, and whose it is: asked of the server, changes nothing."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.store.database import Connection, Row
from gateway.store.queries import queries

LOCK_AFTER = timedelta(seconds=5)
"""Who waits for a lock for longer is told of: shorter waits are everyday."""


@dataclass(frozen=True, slots=True)
class LockWait:
    """A session of the gateway that waits for a lock, and who holds it or stands before it."""

    who: str
    waited: timedelta
    holder: str

    def __str__(self) -> str:
        return f"a lock, for {self.waited.total_seconds():.0f} s, that {self.holder} has"


def lock_waits(connection: Connection, longer_than: timedelta) -> list[LockWait]:
    """The longest first; what other users do is seen only as far as the server shows it to us."""
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
