"""Connections to PostgreSQL: one pool a process, each connection in UTC and returning rows as dictionaries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

import orjson
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from gateway.core.errors import Unavailable

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

OperationalError = psycopg.OperationalError
"""The database did not do it for now; the same may succeed later."""
DataError = psycopg.DataError
IntegrityError = psycopg.IntegrityError
UniqueViolation = psycopg.errors.UniqueViolation
QueryCanceled = psycopg.errors.QueryCanceled

set_json_loads(orjson.loads)  # half the time of the standard library's, which is much of what reading a page takes

# JIT is off: our statements are short, and compiling one over 400 days of readings takes longer than running it.
_OPTIONS = "-c timezone=UTC -c jit=off"


def connect(url: str, application_name: str = "gateway") -> Connection:
    """A connection outside the pool, in autocommit, for long use (the ingest writer, listeners)."""
    return psycopg.connect(
        url,
        row_factory=dict_row,
        autocommit=True,
        application_name=application_name,
        options=_OPTIONS,
        connect_timeout=5,
    )


def is_idle(connection: Connection) -> bool:
    """Whether no transaction is open on this connection."""
    return connection.info.transaction_status is TransactionStatus.IDLE


class Database:
    """A pool of connections; `transaction()` is the only way to write, `read()` to read."""

    def __init__(
        self,
        url: str,
        application_name: str = "gateway",
        max_size: int = 8,
        lock_wait: timedelta | None = None,
        patience: timedelta = timedelta(seconds=5),
    ) -> None:
        """A statement waits at most `lock_wait` for a lock of another transaction, with None without end.

        `patience` is how long a caller waits for a free connection.
        """
        self.url = url
        lock_timeout = f" -c lock_timeout={lock_wait // timedelta(milliseconds=1)}" if lock_wait else ""
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            url,
            min_size=1,
            max_size=max_size,
            open=False,
            timeout=patience.total_seconds(),
            check=ConnectionPool.check_connection,
            kwargs={
                "row_factory": dict_row,
                "autocommit": True,
                "application_name": application_name,
                "options": _OPTIONS + lock_timeout,
                "connect_timeout": 5,
            },
        )

    def open(self) -> Self:
        """Connect; raises Unavailable when the server does not answer in 10 s."""
        try:
            self._pool.open(wait=True, timeout=10)
        except PoolTimeout as error:
            self._pool.close()
            raise Unavailable(
                "The database does not answer. Check that it runs and that GATEWAY_DATABASE_URL names it."
            ) from error
        return self

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit, for statements that commit by themselves, and a transaction after them."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by any exception."""
        with self._pool.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def pipelined(self) -> Iterator[Connection]:
        """One transaction whose statements are sent together, up to the first one whose rows are fetched."""
        with self._pool.connection() as connection, connection.pipeline(), connection.transaction():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single statements that read."""
        with self._pool.connection() as connection:
            yield connection
