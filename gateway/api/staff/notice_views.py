"""Rows of notices become what the API returns to the staff."""

from gateway.api.models import UnitRef
from gateway.api.staff import notice_models as models
from gateway.api.staff import views
from gateway.api.views import notice_fields, words
from gateway.store import Row
from gateway.text import Speech
from gateway.text.reasons import reason_text

COLUMNS = (
    *("notice", "kind", "state", "severity", "number", "title", "serial", "person", "alarms", "told", "changed"),
    *("deliveries", "units", "notified", "seen"),
)
"""Of a saved list."""


def notice_record(row: Row, say: Speech) -> models.NoticeRecord:
    """A notice with all that became of it."""
    return models.NoticeRecord(**_record_fields(row, say))


def notice_with_ledger(row: Row, ledger: list[Row], say: Speech) -> models.NoticeWithLedger:
    """The same, with what the stages decided."""
    return models.NoticeWithLedger(**_record_fields(row, say), ledger=[views.ledger_line(each, say) for each in ledger])


def _record_fields(row: Row, say: Speech) -> Row:
    trail = [models.TrailStep(**step | {"reason": reason_text(step["reason"], say)}) for step in row["trail"]]
    own = {name: row[name] for name in ("person", "person_id", "campaign_id", "read_at", "acknowledged_at")}
    return notice_fields(row, say) | own | {"trail": trail}


def line(row: Row, progress: Row | None, say: Speech) -> models.NoticeLine:
    """A notice, or a campaign, in a list."""
    unit = None
    if row["unit"] is not None:
        unit = UnitRef(
            id=row["unit"], serial=row["serial"], product=words(row["product"], say.language), model=row["model"]
        )
    same = ("id", "kind", "state", "severity", "title", "number", "person", "count", "created_at", "updated_at")
    return models.NoticeLine(
        **{name: row[name] for name in same},
        unit=unit,
        held_until=row["held_until"],
        deliveries=row["deliveries"] or {},
        **{name: progress[name] if progress else None for name in ("units", "notified", "seen")},
    )


def saved(listed: models.NoticeLine) -> list[object]:
    """A notice as a line of a saved list."""
    deliveries = ", ".join(f"{channel} {status}" for channel, status in sorted(listed.deliveries.items()))
    return [
        *(listed.id, listed.kind, listed.state, listed.severity, listed.number, listed.title),
        *(listed.unit.serial if listed.unit else None, listed.person, listed.count),
        *(listed.created_at.isoformat(), listed.updated_at.isoformat(), deliveries),
        *(listed.units, listed.notified, listed.seen),
    ]
