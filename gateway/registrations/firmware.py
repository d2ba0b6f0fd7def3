"""The firmware that units report: stored at once, or as soon as the unit's row is not locked any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.events import GATEWAY, append_all
from gateway.registrations.repository import queries
from gateway.store import Connection

WAITING_REPORTS_PER_TURN = 1_000
"""The most reports that are tried again in one turn."""


@dataclass(frozen=True, slots=True)
class Report:
    """The firmware that a unit reported, and when the report came."""

    firmware: str
    at: datetime
    replayed: bool
    """Whether the broker retained it, or it was tried again: it is older than any other report of the unit."""


def take_firmware(tx: Connection, reports: Mapping[int, Report]) -> int:
    """Store the reported firmware of units, by unit id. Returns the number of units that had another.

    A unit whose row is locked is not waited for: its report is kept, and stored by `take_waiting`.
    """
    if not reports:
        return 0
    changed = [
        row
        for row in tx.execute(
            queries.take_firmware,
            {
                "units": list(reports),
                "firmwares": [report.firmware for report in reports.values()],
                "ats": [report.at for report in reports.values()],
                "replayed": [report.replayed for report in reports.values()],
            },
        )
        if row["firmware"] != row["before"]
    ]
    rows = ((row["id"], {"firmware": row["firmware"], "before": row["before"]}) for row in changed)
    append_all(tx, "unit.firmware_reported", rows, actor=GATEWAY)
    return len(changed)


def take_waiting(tx: Connection, after: int) -> int:
    """Store reports that waited for their units, of unit ids above `after`. Returns the `after` of the next call.

    Each call goes on after the last one, so no report waits for units that stay locked.
    """
    rows = tx.execute(queries.firmware_waiting, {"after": after, "limit": WAITING_REPORTS_PER_TURN}).fetchall()
    take_firmware(tx, {row["unit_id"]: Report(row["firmware"], row["reported_at"], row["replayed"]) for row in rows})
    return rows[-1]["unit_id"] if len(rows) == WAITING_REPORTS_PER_TURN else 0
