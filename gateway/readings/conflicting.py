"""Conflicting readings are bounded: a number for each unit, and a time; what is dropped stays counted."""

from datetime import datetime

from gateway.readings.repository import CONFLICTS_PER_UNIT, queries
from gateway.store import Connection

_UNITS_A_TURN = 100
_KEPT = CONFLICTS_PER_UNIT // 2


def trim(connection: Connection, before: datetime) -> int:
    """Drop those received before a moment, and of a unit without room all but the newest; returns the number dropped.

    It goes unit by unit in short transactions, beside ingest.
    """
    dropped, after = 0, 0
    while units := _units(connection, after):
        arguments = {"units": units, "before": before, "share": CONFLICTS_PER_UNIT, "keep": _KEPT}
        dropped += connection.execute(queries.trim_conflicting, arguments).rowcount
        after = units[-1]
    return dropped


def _units(connection: Connection, after: int) -> list[int]:
    rows = connection.execute(queries.conflicting_units, {"after": after, "limit": _UNITS_A_TURN})
    return [row["unit_id"] for row in rows]
