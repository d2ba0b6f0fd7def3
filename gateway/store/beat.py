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
"""A role without a sign of life for this long counts as not working."""
SIGN_OF_LIFE = "a sign of life"
"""What a silent role is said to wait for."""


def beat(connection: Connection, role: str, detail: dict[str, Any]) -> None:
    """Store a role's sign of life; `waiting_for` in `detail` says what keeps it from its work."""
    connection.execute(queries.beat, {"role": role, "detail": Jsonb(detail)})


@dataclass(frozen=True, slots=True)
class Beat:
    """A role's last sign of life."""

    age: timedelta
    detail: dict[str, Any]


def last_beat(connection: Connection, role: str) -> Beat | None:
    """A role's last sign of life, its age by the database's clock; None without one."""
    row = connection.execute(queries.last_beat, {"role": role}).fetchone()
    return Beat(row["age"], row["detail"]) if row else None


def standings(connection: Connection, longer_than: timedelta) -> dict[str, str | None]:
    """What each role waits for, None for a working one; SIGN_OF_LIFE for one that is silent for `longer_than`."""
    rows = connection.execute(
        queries.standings, {"longer_than": longer_than, "sign_of_life": SIGN_OF_LIFE, "roles": list(BEATING)}
    )
    return {row["role"]: row["waiting_for"] for row in rows}
