"""An administrator who may sign in is always left: what changes roles and accounts asks here."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.accounts.repository import queries
from gateway.core.errors import GatewayError
from gateway.store import Connection
from gateway.store.locks import Lock, hold


class LastAdministrator(GatewayError):
    """No administrator would be left."""

    code = "last_administrator"
    status = 409

    def __init__(self) -> None:
        super().__init__("No administrator would be left. Make somebody else an administrator first.")


@contextmanager
def administrator_left(tx: Connection) -> Iterator[None]:
    """Raises LastAdministrator when what happens inside takes the last administrator who may sign in.

    Such changes wait for each other. Who locks an address too does so before.
    """
    hold(tx, Lock.STAFF)
    before = _administrators(tx)
    yield
    if before and not _administrators(tx):
        raise LastAdministrator


def _administrators(tx: Connection) -> int:
    row = tx.execute(queries.count_administrators).fetchone()
    assert row is not None  # noqa: S101 - count returns a row
    return int(row["administrators"])
