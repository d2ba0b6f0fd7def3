"""Deletes old notices, deliveries and letters: at most `limit` a call, the oldest first."""

from datetime import datetime

from gateway.notify.repository import queries
from gateway.store import Connection


def forget_letters(connection: Connection, before: datetime, limit: int) -> int:
    """Forget letters that ended. Returns the number of them."""
    return connection.execute(queries.forget_letters, {"before": before, "limit": limit}).rowcount


def forget_tries(connection: Connection, before: datetime, limit: int) -> int:
    """Forget the tries of deliveries that ended. Returns the number of them."""
    return connection.execute(queries.forget_tries, {"before": before, "limit": limit}).rowcount


def forget_phones(connection: Connection, before: datetime, limit: int) -> int:
    """Forget phones that were retired. Returns the number of them."""
    return connection.execute(queries.forget_phones, {"before": before, "limit": limit}).rowcount


def forget_engagements(connection: Connection, before: datetime, limit: int) -> int:
    """Forget what people opened and acknowledged. Returns the number of them."""
    return connection.execute(queries.forget_engagements, {"before": before, "limit": limit}).rowcount


def forget_notices(connection: Connection, before: datetime, limit: int) -> int:
    """Forget notices of alarms that are over, with their deliveries and ledger lines. Returns the number of them."""
    return connection.execute(queries.forget_notices, {"before": before, "limit": limit}).rowcount


def forget_ledger(connection: Connection, before: datetime, limit: int) -> int:
    """Forget ledger lines of alarms without a notice. Returns the number of them."""
    return connection.execute(queries.forget_ledger, {"before": before, "limit": limit}).rowcount


def forget_feed_rows(connection: Connection, before: datetime, limit: int) -> int:
    """Forget rows of the outbox that an older version wrote for the feed. Returns the number of them."""
    del before  # none of them is needed
    return connection.execute(queries.forget_feed_rows, {"limit": limit}).rowcount
