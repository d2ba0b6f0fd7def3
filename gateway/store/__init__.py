"""PostgreSQL: connections, named queries, migrations, time series, wake-ups. The only importer of psycopg."""

from psycopg.sql import SQL
from psycopg.types.json import Json, Jsonb

from gateway.store.database import (
    Connection,
    Database,
    DataError,
    IntegrityError,
    OperationalError,
    QueryCanceled,
    Row,
    UniqueViolation,
    connect,
    is_idle,
)
from gateway.store.queries import Queries, Query, as_literal, load_queries
from gateway.store.trouble import TROUBLES, Trouble, count_trouble, holds_up_all, pause, trouble_of, words_of

__all__ = [
    "SQL",
    "TROUBLES",
    "Connection",
    "DataError",
    "Database",
    "IntegrityError",
    "Json",
    "Jsonb",
    "OperationalError",
    "Queries",
    "Query",
    "QueryCanceled",
    "Row",
    "Trouble",
    "UniqueViolation",
    "as_literal",
    "connect",
    "count_trouble",
    "holds_up_all",
    "is_idle",
    "load_queries",
    "pause",
    "trouble_of",
    "words_of",
]
