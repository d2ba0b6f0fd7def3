"""Signs of life: each role writes one, readiness reads them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from gateway.store.database import Connection

ROLES = ("ingest", "worker")
SIGN_OF_LIFE = "a sign of life"
"""What a silent role waits for."""


def beat(connection: Connection, role: str, detail: dict[str, Any]) -> None:
    """Say that a role lives and how it is; in `waiting_for`, what keeps it from its work."""
    connection.execute(
        "INSERT INTO role_beat (role, at, detail) VALUES (%s, now(), %s)"
        " ON CONFLICT (role) DO UPDATE SET at = excluded.at, detail = excluded.detail",
        [role, Jsonb(detail)],
    )


@dataclass(frozen=True, slots=True)
class Beat:
    """A role's last sign of life."""

    age: timedelta
    detail: dict[str, Any]


def last_beat(connection: Connection, role: str) -> Beat | None:
    """When a role last gave a sign of life, by the database's clock, and what it said of itself."""
    row = connection.execute(
        "SELECT clock_timestamp() - at AS age, detail FROM role_beat WHERE role = %s", [role]
    ).fetchone()
    return Beat(row["age"], row["detail"]) if row else None


def standings(connection: Connection, longer_than: timedelta) -> dict[str, str | None]:
    """What each role waits for before it does its work; None for one that does it. Silent for so long, it is a sign of
    life.
    """
    rows = connection.execute(
        "SELECT wanted.role, CASE WHEN b.at > now() - %s THEN b.detail->>'waiting_for' ELSE %s END AS waiting_for"
        " FROM unnest(%s::text[]) AS wanted (role) LEFT JOIN role_beat b ON b.role = wanted.role",
        [longer_than, SIGN_OF_LIFE, list(ROLES)],
    )
    return {row["role"]: row["waiting_for"] for row in rows}
