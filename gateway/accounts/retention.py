"""Deletes old codes, sessions and browsers: at most `limit` a call, the oldest first."""

from datetime import datetime

from gateway.accounts.repository import queries
from gateway.store import Connection


def forget_codes(connection: Connection, before: datetime, limit: int) -> int:
    """Forget codes that are no longer valid, with their data. Returns the number of them."""
    return connection.execute(queries.forget_codes, {"before": before, "limit": limit}).rowcount


def forget_sessions(connection: Connection, before: datetime, limit: int) -> int:
    """Forget sessions that have ended. Returns the number of them."""
    return connection.execute(queries.forget_sessions, {"before": before, "limit": limit}).rowcount


def forget_browsers(connection: Connection, before: datetime, limit: int) -> int:
    """Forget browsers that were not used for long. Returns the number of them."""
    return connection.execute(queries.forget_browsers, {"before": before, "limit": limit}).rowcount
