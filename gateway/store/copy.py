"""COPY in PostgreSQL's binary format straight from numpy columns, without a Python object a row.

Format: PostgreSQL documentation, COPY, "Binary Format"; a timestamptz is microseconds since 2000-01-01 UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from psycopg import sql

from gateway.store.database import Connection

POSTGRES_EPOCH_US = 946_684_800_000_000
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_TRAILER = b"\xff\xff"

Column = np.ndarray[Any, np.dtype[Any]]


def timestamps(us: Column) -> Column:
    """Converts microseconds since 1970 to COPY's form of a timestamptz."""
    return us - POSTGRES_EPOCH_US


def copy_columns(connection: Connection, table: str, columns: Mapping[str, Column]) -> None:
    """COPY columns of equal length into `table`; their dtypes must match its types (int64 for timestamptz)."""
    fields: list[tuple[str, str]] = [("", ">i2")]
    for name, column in columns.items():
        fields += [(f"{name} length", ">i4"), (name, column.dtype.newbyteorder(">").str)]
    dtype = np.dtype([(name or "fields", kind) for name, kind in fields])
    rows = np.empty(len(next(iter(columns.values()))), dtype)
    rows["fields"] = len(columns)
    for name, column in columns.items():
        rows[f"{name} length"] = column.dtype.itemsize
        rows[name] = column
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_SIGNATURE + rows.tobytes() + _TRAILER)


def copy_rows(connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into `table`; `columns` has names and database types in the order of the rows' values."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
