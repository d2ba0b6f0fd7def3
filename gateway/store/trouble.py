"""What keeps the database from doing a statement, told apart: each is retried, waited for or refused as it deserves."""

from datetime import timedelta
from enum import Enum

import psycopg
from psycopg import errors

from gateway import metrics

TROUBLES = (psycopg.OperationalError, errors.ReadOnlySqlTransaction, errors.IdleInTransactionSessionTimeout)
"""What to catch: nothing was decided, and `trouble_of` says why."""
AT_ONCE_MAX = 5
"""Conflicts in a row that are tried again at once; then there is a pause."""
PAUSE = timedelta(seconds=1)


class Trouble(Enum):
    """What is waited for, in words that follow "waits for"."""

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
        """Whether a new connection is the way out: a standby stays one, and a closed connection stays closed."""
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
_TOO_MANY = "too many clients", "too many connections", "remaining connection slots"
"""How the server words a refusal at the door, where the driver has no code for it."""


def trouble_of(error: BaseException) -> Trouble:
    """Which trouble an error of `TROUBLES` is; what is not known is a database that is away."""
    state = getattr(error, "sqlstate", None)
    if state is None and any(words in str(error) for words in _TOO_MANY):
        return Trouble.CROWDED
    return _BY_STATE.get(state or "", Trouble.AWAY)


def count_trouble(error: BaseException) -> Trouble:
    """The same, counted for the metrics: once where it is handled."""
    trouble = trouble_of(error)
    metrics.TROUBLES.labels(trouble.name.lower()).inc()
    return trouble


def holds_up_all(error: BaseException) -> bool:
    """Whether an error is the database's trouble with everything, and not perhaps with what was just handled.

    A cancelled statement and a lock may be one event's or one campaign's own: that one is put off, or it would hold up
    all others.
    """
    return isinstance(error, TROUBLES) and trouble_of(error) not in {Trouble.CANCELLED, Trouble.LOCK}


def pause(trouble: Trouble, tries: int) -> timedelta:
    """How long to wait after so many tries in a row: conflicts are gone at once, mostly; all else takes a while."""
    return timedelta() if trouble is Trouble.CONFLICT and tries <= AT_ONCE_MAX else PAUSE


def words_of(error: BaseException) -> str:
    """The server's own words, on one line."""
    return " ".join(str(error).split())
