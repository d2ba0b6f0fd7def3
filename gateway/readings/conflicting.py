"""Conflicting readings are kept up to a number for each unit, and for some time; dropped ones stay counted."""

from datetime import datetime

from gateway.readings.repository import CONFLICTS_PER_UNIT, queries
from gateway.store import Connection

_UNITS_A_TURN = 100
_KEPT_PER_UNIT = CONFLICTS_PER_UNIT // 2


def trim(connection: Connection, before: datetime) -> int:
    """Drop those received before a time, and all but the newest of units at the limit. Returns the number dropped.

    Each transaction is for some units only, so that ingest does not wait.
    """
    dropped, after = 0, 0
    while units := _units(connection, after):
        arguments = {"units": units, "before": before, "share": CONFLICTS_PER_UNIT, "keep": _KEPT_PER_UNIT}
        dropped += connection.execute(queries.trim_conflicting, arguments).rowcount
        after = units[-1]
    return dropped


def _units(connection: Connection, after: int) -> list[int]:
    rows = connection.execute(queries.conflicting_units, {"after": after, "limit": _UNITS_A_TURN})
    return [row["unit_id"] for row in rows]
