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
    is_idle,
)
from gateway.store.queries import Queries, load_queries

__all__ = [
    "Connection",
    "DataError",
    "Database",
    "IntegrityError",
    "Jsonb",
    "OperationalError",
    "Queries",
    "Row",
    "UniqueViolation",
    "connect",
    "is_idle",
    "load_queries",
]
