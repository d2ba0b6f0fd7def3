"""What could not be told to owners, by an error of ours: listed, and tried again at once when somebody asks for it."""

from datetime import datetime

from gateway.campaigns.repository import queries
from gateway.events import append
from gateway.store import Connection, Row


def failures_to_tell(connection: Connection, limit: int) -> list[Row]:
    """Returns campaigns, units of campaigns and alarms of new owners that are tried again, the next try first."""
    return connection.execute(queries.failures_to_tell, {"limit": limit}).fetchall()


def try_again(tx: Connection, now: datetime, *, actor: str) -> int:
    """Have all of them tried at once. Returns the number of them."""
    row = tx.execute(queries.try_telling_again, {"now": now}).fetchone()
    asked = row["asked"] if row else 0
    if asked:
        append(tx, "event.retry_asked", {"failures_to_tell": asked}, actor=actor)
    return int(asked)
