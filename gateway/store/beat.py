"""Signs of life: each role writes one, readiness reads them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from gateway.store.database import Connection
from gateway.store.queries import queries

BEATING = ("ingest", "worker")
"""The roles that give signs of life; the api answers for itself."""
SILENT_AFTER = timedelta(seconds=10)
"""A role that gave no sign of life for so long does not do its work."""
SIGN_OF_LIFE = "a sign of life"
"""What a silent role waits for."""


def beat(connection: Connection, role: str, detail: dict[str, Any]) -> None:
    """Say that a role lives and how it is; in `waiting_for`, what keeps it from its work."""
    connection.execute(queries.beat, {"role": role, "detail": Jsonb(detail)})


@dataclass(frozen=True, slots=True)
class Beat:
    """A role's last sign of life."""

    age: timedelta
    detail: dict[str, Any]


def last_beat(connection: Connection, role: str) -> Beat | None:
    """When a role last gave a sign of life, by the database's clock, and what it said of itself."""
    row = connection.execute(queries.last_beat, {"role": role}).fetchone()
    return Beat(row["age"], row["detail"]) if row else None


def standings(connection: Connection, longer_than: timedelta) -> dict[str, str | None]:
    """What each role waits for before it does its work; None for one that does it. Silent for so long, it is a sign of
    life.
    """
    rows = connection.execute(
        queries.standings, {"longer_than": longer_than, "sign_of_life": SIGN_OF_LIFE, "roles": list(BEATING)}
    )
    return {row["role"]: row["waiting_for"] for row in rows}
