"""Which of our sessions wait for a lock, for how long, and whose it is: asked of the server, changes nothing."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.store.database import Connection, Row

_WAITS = """
SELECT a.application_name AS who, clock_timestamp() - w.since AS waited, h.pid AS holder, b.application_name AS program,
       b.usename AS "user", b.state, clock_timestamp() - b.xact_start AS age
FROM (SELECT pid, min(waitstart) AS since FROM pg_locks WHERE NOT granted GROUP BY pid) AS w
JOIN pg_stat_activity a ON a.pid = w.pid
LEFT JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS h (pid) ON true
LEFT JOIN pg_stat_activity b ON b.pid = h.pid
WHERE a.datname = current_database() AND a.application_name LIKE 'gateway%%' AND w.since < clock_timestamp() - %s
ORDER BY w.since, a.pid, h.pid
LIMIT 20
"""


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
    rows = connection.execute(_WAITS, [longer_than])
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
