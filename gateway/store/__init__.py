"""PostgreSQL: connections, named queries, migrations, time series, wake-ups. The only importer of psycopg."""

from psycopg.types.json import Jsonb

from gateway.store.database import (
    Connection,
    Database,
    DataError,
    IntegrityError,
    OperationalError,
    Row,
    UniqueViolation,
    connect,
)
from gateway.store.queries import Queries, Query, load_queries

__all__ = [
    "Connection",
    "DataError",
    "Database",
    "IntegrityError",
    "Jsonb",
    "OperationalError",
    "Queries",
    "Query",
    "Row",
    "UniqueViolation",
    "connect",
    "load_queries",
]
