"""Makes the API's models of database rows."""

from gateway.api import models
from gateway.campaigns.model import CampaignPart
from gateway.core.clock import to_us
from gateway.events import Event
from gateway.ingest.quarantine import is_whole
from gateway.notify.repository import as_written
from gateway.store import Row

_WORST_FIRST = ("recall", "safety", "critical", "checking", "warning", "update", "info")
_STATE_OF: dict[str, models.UnitState] = {
    "recall": "recalled",
    "safety": "critical",
    "critical": "critical",
    "checking": "checking",
    "warning": "warning",
    "update": "update",
    "info": "info",
}


def unit(row: Row) -> models.Unit:
    """Returns a unit; one that never sent a message is unknown, not fine."""
    alarms = [models.ActiveAlarm(**alarm) for alarm in row["alarms"] or []]
    reasons = {alarm.severity for alarm in alarms} | set(row.get("campaigns") or ())
    if row["checks"]:
        reasons.add("checking")
    return models.Unit(
        id=row["id"],
        serial=row["serial"],
        product=models.ProductRef(code=row["code"], name=english(row["name"]), model=row["model"]),
        lot=row["lot"],
        firmware=row["firmware"],
        owner=row["owner"],
        last_seen=row["last_seen"],
        state=_state(reasons, was_seen=row["last_seen"] is not None),
        alarms=alarms,
        readings=[
            models.ReadingNow(**reading | {"title": english(reading["title"])}) for reading in row["readings"] or []
        ],
    )


def _state(reasons: set[str], *, was_seen: bool) -> models.UnitState:
    return next((_STATE_OF[reason] for reason in _WORST_FIRST if reason in reasons), "fine" if was_seen else "unknown")


def notice(row: Row) -> models.Notice:
    """Returns a notice of the feed."""
    row = as_written(row)
    return models.Notice(
        **row["text"],
        id=row["id"],
        kind=row["kind"],
        severity=row["severity"],
        state=row["state"],
        count=row["count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        resolved_at=row["resolved_at"],
        person=row["person"],
        unit=models.UnitRef(id=row["unit"], serial=row["serial"], product=english(row["product"]), model=row["model"]),
        why=models.Why(**row["why"]) if row["kind"] == "alarm" else None,
        campaign=None if row["kind"] == "alarm" else CampaignPart(**row["why"]),
        held_until=row["held_until"],
        hold_reason=row["hold_reason"],
    )


def event(log_event: Event) -> models.Event:
    """Returns an event without internal row numbers."""
    return models.Event(
        cursor=str(log_event.position),
        at=log_event.at,
        kind=log_event.kind,
        actor=log_event.actor,
        unit=log_event.unit,
        person=log_event.person,
        data={name: value for name, value in log_event.data.items() if not name.endswith("_id")},
    )


def stored_reading(row: Row) -> tuple[str, int, float, int, bool]:
    """Returns a reading as it is stored."""
    return row["metric"], to_us(row["time"]), row["value"], to_us(row["received_at"]), row["late"]


def quarantined_message(row: Row) -> models.Quarantined:
    """Returns a quarantined message."""
    payload: bytes = row["payload"]
    fields = {"id": str(row["id"]), "payload": payload.decode("utf-8", "replace"), "whole": is_whole(row)}
    return models.Quarantined(**row | fields)


def english(texts: dict[str, str]) -> str:
    """Returns the English text of texts by language."""
    return texts["en"]


def next_page(rows: list[Row], limit: int, key: str) -> str | None:
    """Returns where the next page begins; None when this page is not full."""
    return str(rows[-1][key]) if len(rows) == limit else None
