"""What is forgotten of notices, deliveries and letters: each call a bounded number, the oldest first."""

from datetime import datetime

from gateway.notify.repository import queries
from gateway.store import Connection


def forget_letters(connection: Connection, before: datetime, limit: int) -> int:
    """Forget letters that ended; returns how many."""
    return connection.execute(queries.forget_letters, {"before": before, "limit": limit}).rowcount


def forget_tries(connection: Connection, before: datetime, limit: int) -> int:
    """Forget what each try came to, of deliveries that ended; returns how many."""
    return connection.execute(queries.forget_tries, {"before": before, "limit": limit}).rowcount


def forget_phones(connection: Connection, before: datetime, limit: int) -> int:
    """Forget phones that were retired; returns how many."""
    return connection.execute(queries.forget_phones, {"before": before, "limit": limit}).rowcount


def forget_engagements(connection: Connection, before: datetime, limit: int) -> int:
    """Forget what people opened and acknowledged; returns how many."""
    return connection.execute(queries.forget_engagements, {"before": before, "limit": limit}).rowcount


def forget_notices(connection: Connection, before: datetime, limit: int) -> int:
    """Forget notices of alarms that are over, with their deliveries and ledger lines; returns how many."""
    return connection.execute(queries.forget_notices, {"before": before, "limit": limit}).rowcount


def forget_ledger(connection: Connection, before: datetime, limit: int) -> int:
    """Forget ledger lines on alarms that nobody was told of; returns how many."""
    return connection.execute(queries.forget_ledger, {"before": before, "limit": limit}).rowcount
