"""The firmware that units report: taken over at once, or as soon as nobody else holds the unit's row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.events import GATEWAY, append_all
from gateway.registrations.repository import queries
from gateway.store import Connection

WAITING_AT_ONCE = 1_000
"""Reports that are tried again in one turn."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a unit said of itself, and when it came."""

    firmware: str
    at: datetime
    replayed: bool
    """The broker retained it, or it was tried again: it tells nothing of a unit that reported anything since."""


def take_firmware(tx: Connection, reported: Mapping[int, Report]) -> int:
    """Bring units, by their ids, to the firmware that they reported; returns the number that had another.

    A unit whose row another transaction holds is not waited for: its report is kept, and taken by `take_waiting`.
    """
    if not reported:
        return 0
    changed = [
        row
        for row in tx.execute(
            queries.take_firmware,
            {
                "units": list(reported),
                "firmwares": [report.firmware for report in reported.values()],
                "ats": [report.at for report in reported.values()],
                "replayed": [report.replayed for report in reported.values()],
            },
        )
        if row["firmware"] != row["before"]
    ]
    rows = ((row["id"], {"firmware": row["firmware"], "before": row["before"]}) for row in changed)
    append_all(tx, "unit.firmware_reported", rows, actor=GATEWAY)
    return len(changed)


def take_waiting(tx: Connection, after: int) -> int:
    """Take over reports that waited for their units, behind unit `after`; returns the unit to go on behind.

    Going round lets none wait behind units that are held for long.
    """
    rows = tx.execute(queries.firmware_waiting, {"after": after, "limit": WAITING_AT_ONCE}).fetchall()
    take_firmware(tx, {row["unit_id"]: Report(row["firmware"], row["reported_at"], row["replayed"]) for row in rows})
    return rows[-1]["unit_id"] if len(rows) == WAITING_AT_ONCE else 0
