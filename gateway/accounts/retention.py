"""What is forgotten of sign-ins: each call a bounded number, the oldest first."""

from datetime import datetime

from gateway.accounts.repository import queries
from gateway.store import Connection


def forget_codes(connection: Connection, before: datetime, limit: int) -> int:
    """Forget codes that are no longer good, with what they stood for; returns how many."""
    return connection.execute(queries.forget_codes, {"before": before, "limit": limit}).rowcount


def forget_sessions(connection: Connection, before: datetime, limit: int) -> int:
    """Forget sessions that are over; returns how many."""
    return connection.execute(queries.forget_sessions, {"before": before, "limit": limit}).rowcount


def forget_browsers(connection: Connection, before: datetime, limit: int) -> int:
    """Forget browsers that were not used for long; returns how many."""
    return connection.execute(queries.forget_browsers, {"before": before, "limit": limit}).rowcount
