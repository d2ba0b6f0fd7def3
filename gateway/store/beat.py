"""Signs of life: each role writes one, readiness reads them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from gateway.store.database import Connection

ROLES = ("ingest", "worker")


def beat(connection: Connection, role: str, detail: dict[str, Any]) -> None:
    """Say that a role lives and how it is."""
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


def silent_roles(connection: Connection, longer_than: timedelta) -> list[str]:
    """The roles that gave no sign of life for so long."""
    rows = connection.execute(
        "SELECT role FROM unnest(%s::text[]) AS wanted (role)"
        " WHERE NOT EXISTS (SELECT FROM role_beat b WHERE b.role = wanted.role AND b.at > now() - %s)",
        [list(ROLES), longer_than],
    )
    return [row["role"] for row in rows]
