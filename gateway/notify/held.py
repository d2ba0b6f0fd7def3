"""Notices that the stage `rate` held are told when their time comes, where they still matter."""

from datetime import datetime

from gateway.events import append_each
from gateway.notify import repository
from gateway.notify.need import skip_reason
from gateway.notify.repository import of_campaign
from gateway.store import Connection, Row


def tell_held(tx: Connection, now: datetime, limit: int) -> int:
    """Tell held notices whose time has come, or note why they are not needed any more. Returns the number of them."""
    rows = repository.held_due(tx, now, limit)
    if not rows:
        return 0
    reasons = {row["id"]: skip_reason(row) for row in rows}
    repository.show(tx, reasons)
    told, skipped = [], []
    for row in rows:
        data = {"notice": row["notice"], "severity": row["severity"]} | of_campaign(row)
        if reason := reasons[row["id"]]:
            skipped.append((row["unit_id"], row["person_id"], data | {"reason": reason.data}))
        else:
            told.append((row["unit_id"], row["person_id"], data | _of_alarm(row)))
    append_each(tx, "notice.told", told)
    append_each(tx, "notice.skipped", skipped)
    return len(rows)


def _of_alarm(row: Row) -> dict[str, str]:
    if row["kind"] != "alarm":
        return {}
    notice = repository.as_written(row)
    return {"title": notice["text"]["title"], "raised_at": notice["why"]["raised_at"]}
