"""The kinds of trouble for which the database does not run a statement now; each is handled in its own way."""

from datetime import timedelta
from enum import Enum

import psycopg
from psycopg import errors

from gateway import metrics

TROUBLES = (psycopg.OperationalError, errors.ReadOnlySqlTransaction, errors.IdleInTransactionSessionTimeout)
"""The exceptions to catch: the statement had no effect and can be tried again; `trouble_of` says why it failed."""
AT_ONCE_MAX = 5
"""The number of conflicts in a row that are retried without a pause."""
PAUSE = timedelta(seconds=1)


class Trouble(Enum):
    """What the gateway waits for, in words that follow "waits for"."""

    CONFLICT = "other transactions that change the same rows"
    DISK = "room on the database's disk"
    MEMORY = "memory of the database server"
    CANCELLED = "time: the server cancels a statement (statement_timeout)"
    LOCK = "a lock that another transaction holds"
    READ_ONLY = "a database that may be written"
    CROWDED = "a free connection of the database"
    AWAY = "the database"

    @property
    def loses_connection(self) -> bool:
        """Whether only a new connection can help: a standby stays read-only, and a closed connection closed."""
        return self in {Trouble.READ_ONLY, Trouble.CROWDED, Trouble.AWAY}


_BY_STATE = {
    "40001": Trouble.CONFLICT,
    "40P01": Trouble.CONFLICT,
    "53000": Trouble.MEMORY,
    "53100": Trouble.DISK,
    "53200": Trouble.MEMORY,
    "53300": Trouble.CROWDED,
    "53400": Trouble.MEMORY,
    "57014": Trouble.CANCELLED,
    "55P03": Trouble.LOCK,
    "25006": Trouble.READ_ONLY,
}
_TOO_MANY_CONNECTIONS = "too many clients", "too many connections", "remaining connection slots"
"""Parts of the server's message when it refuses a connection, for which the driver has no code."""


def trouble_of(error: BaseException) -> Trouble:
    """The trouble of an error of `TROUBLES`; AWAY for an unknown one."""
    state = getattr(error, "sqlstate", None)
    if state is None and any(phrase in str(error) for phrase in _TOO_MANY_CONNECTIONS):
        return Trouble.CROWDED
    return _BY_STATE.get(state or "", Trouble.AWAY)


def count_trouble(error: BaseException) -> Trouble:
    """As `trouble_of`, and counts it in the metrics. Call it once, where the error is handled."""
    trouble = trouble_of(error)
    metrics.TROUBLES.labels(trouble.name.lower()).inc()
    return trouble


def holds_up_all(error: BaseException) -> bool:
    """Whether an error concerns the whole database, and not perhaps only the row in hand.

    A cancelled statement or a lock may concern one event or campaign only: that one is postponed, else it would hold
    up all others.
    """
    return isinstance(error, TROUBLES) and trouble_of(error) not in {Trouble.CANCELLED, Trouble.LOCK}


def pause(trouble: Trouble, tries: int) -> timedelta:
    """How long to wait after this many tries in a row; the first conflicts are retried at once."""
    return timedelta() if trouble is Trouble.CONFLICT and tries <= AT_ONCE_MAX else PAUSE


def words_of(error: BaseException) -> str:
    """The server's message on one line."""
    return " ".join(str(error).split())
