"""Every advisory lock: one number for one meaning. Besides this file only migrations contain such numbers.

Processes of different versions must use the same locks: never change a number or use it for something else.
"""

from enum import IntEnum, unique

from gateway.store.database import Connection
from gateway.store.queries import queries


@unique
class Lock(IntEnum):
    """What is locked. Do not use 7402203, a lock of an earlier version."""

    INGEST = 7_402_200
    """Held by the one process that judges readings, as long as its connection lives."""
    MIGRATE = 7_402_201
    """One process migrates; others wait, and then have nothing to do."""
    MAKE_DAY = 7_402_202
    """Two roles may make the same day of readings at once (migration 0007)."""
    MAINTENANCE = 7_402_204
    """One worker at a time does the hourly maintenance."""
    EVENT_TURN = 7_402_205
    """Events get their places in the order of commits (migration 0012)."""
    MAKE_MONTH = 7_402_206
    """Two roles may make the same month of events at once (migration 0012)."""
    CATALOG = 7_402_207
    """One writer at a time changes the catalog, so that revisions are numbered in the order of their commits."""
    IMPORT = 7_402_213
    """One import at a time applies its staged rows, so that two cannot deadlock."""
    ATTEMPT = 7_402_214
    """Tries on a limit with one key are counted one at a time; locked by key."""
    ADDRESS = 7_402_215
    """Changes of one e-mail address wait for each other; locked by key."""
    CAMPAIGN_OWNERS = 7_402_216
    """Units of campaigns pass to new owners in one place at a time, and not while an audience is frozen (0023)."""
    STAFF = 7_402_237
    """Roles and accounts of the staff change one at a time, so that an administrator is always left."""
    FIGURES = 7_402_239
    """One worker at a time counts the figures of products."""
    LOOK = 7_402_236
    """Looks of one member of the staff are stored one at a time, so that the same one is there once; locked by key."""
    ROLL_UP = 7_402_217
    """One worker at a time rolls readings up by hour and day, and deletes those of products that keep them shorter."""


def try_lock(connection: Connection, lock: Lock) -> bool:
    """Take a lock as long as the connection lives. Returns False if another one has it."""
    row = connection.execute(queries.try_lock, {"lock": lock}).fetchone()
    return bool(row and row["mine"])


def lock_session(connection: Connection, lock: Lock) -> None:
    """Wait for a lock and keep it as long as the connection lives."""
    connection.execute(queries.lock_session, {"lock": lock})


def hold(tx: Connection, lock: Lock) -> None:
    """Wait for a lock and keep it until the transaction ends."""
    tx.execute(queries.hold, {"lock": lock})


def hold_shared(tx: Connection, lock: Lock) -> None:
    """Take a lock until the transaction ends, beside others who take it so; waits for who holds it alone."""
    tx.execute(queries.hold_shared, {"lock": lock})


def try_hold(tx: Connection, lock: Lock) -> bool:
    """Take a lock until the transaction ends; false where another has it."""
    row = tx.execute(queries.try_hold, {"lock": lock}).fetchone()
    return bool(row and row["mine"])


def hold_key(tx: Connection, lock: Lock, key: str) -> None:
    """Wait for the lock of one key and keep it until the transaction ends; other keys are not locked."""
    tx.execute(queries.hold_key, {"lock": lock, "key": key})
