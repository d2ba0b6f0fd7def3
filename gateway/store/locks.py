"""Every advisory lock: one number for one meaning. Only migrations, which never change, write such a number too.

A process of another version must see the same lock: a number is never changed, and never used for something else.
"""

from enum import IntEnum, unique

from gateway.store.database import Connection
from gateway.store.queries import queries


@unique
class Lock(IntEnum):
    """What is locked; 7402203 was one of a version before."""

    INGEST = 7_402_200
    """The place of the one process that judges, for as long as its connection lives."""
    MIGRATE = 7_402_201
    """One process migrates, the others wait and then find nothing left to do."""
    MAKE_DAY = 7_402_202
    """Two roles may want the same day of readings at once (migration 0007)."""
    MAINTENANCE = 7_402_204
    """One worker an hour keeps the store in order."""
    EVENT_TURN = 7_402_205
    """Events get their places in one order (migration 0012)."""
    MAKE_MONTH = 7_402_206
    """Two roles may want the same month of events at once (migration 0012)."""
    CATALOG = 7_402_207
    """One writer at a time changes the catalog, so that revisions are numbered in the order of their commits."""
    IMPORT = 7_402_213
    """One import after the other puts what it staged into force: two cannot wait for each other's rows."""
    ATTEMPT = 7_402_214
    """Tries with one limited key are counted one after the other; locked by key."""
    ADDRESS = 7_402_215
    """Acts on one e-mail address wait for each other; locked by key."""
    CAMPAIGN_OWNERS = 7_402_216
    """Units of campaigns pass to new owners in one place at a time, and not while an audience is frozen (0023)."""


def try_lock(connection: Connection, lock: Lock) -> bool:
    """Take a lock for as long as the connection lives; false where another has it."""
    row = connection.execute(queries.try_lock, {"lock": lock}).fetchone()
    return bool(row and row["mine"])


def lock_session(connection: Connection, lock: Lock) -> None:
    """Take a lock for as long as the connection lives; waits for it."""
    connection.execute(queries.lock_session, {"lock": lock})


def hold(tx: Connection, lock: Lock) -> None:
    """Take a lock until the transaction ends; waits for it."""
    tx.execute(queries.hold, {"lock": lock})


def hold_shared(tx: Connection, lock: Lock) -> None:
    """Take a lock until the transaction ends, beside others who take it so; waits for who holds it alone."""
    tx.execute(queries.hold_shared, {"lock": lock})


def try_hold(tx: Connection, lock: Lock) -> bool:
    """Take a lock until the transaction ends; false where another has it."""
    row = tx.execute(queries.try_hold, {"lock": lock}).fetchone()
    return bool(row and row["mine"])


def hold_key(tx: Connection, lock: Lock, key: str) -> None:
    """Take the lock of one key until the transaction ends; other keys are not held up."""
    tx.execute(queries.hold_key, {"lock": lock, "key": key})
