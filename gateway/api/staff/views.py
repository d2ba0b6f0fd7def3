"""Database rows become what the API returns."""

from gateway.api import models
from gateway.campaigns.model import CampaignPart
from gateway.core.clock import to_us
from gateway.events import Event
from gateway.ingest.quarantine import is_whole
from gateway.notify.repository import as_written
from gateway.store import Row

_WORST_FIRST = ("recall", "safety", "critical", "checking", "warning", "update", "info")
_SHOWN: dict[str, models.UnitState] = {
    "recall": "recalled",
    "safety": "critical",
    "critical": "critical",
    "checking": "checking",
    "warning": "warning",
    "update": "update",
    "info": "info",
}


def unit(row: Row) -> models.Unit:
    """A unit; what was never heard of is unknown, not fine."""
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
        state=_state(reasons, heard=row["last_seen"] is not None),
        alarms=alarms,
        readings=[
            models.ReadingNow(**reading | {"title": english(reading["title"])}) for reading in row["readings"] or []
        ],
    )


def _state(reasons: set[str], *, heard: bool) -> models.UnitState:
    return next((_SHOWN[each] for each in _WORST_FIRST if each in reasons), "fine" if heard else "unknown")


def notice(row: Row) -> models.Notice:
    """A feed item."""
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


def event(happened: Event) -> models.Event:
    """An event without the numbers that are ours alone."""
    return models.Event(
        cursor=str(happened.position),
        at=happened.at,
        kind=happened.kind,
        actor=happened.actor,
        unit=happened.unit,
        person=happened.person,
        data={name: value for name, value in happened.data.items() if not name.endswith("_id")},
    )


def stored(row: Row) -> tuple[str, int, float, int, bool]:
    """A reading as it is stored."""
    return row["metric"], to_us(row["time"]), row["value"], to_us(row["received_at"]), row["late"]


def quarantined(row: Row) -> models.Quarantined:
    """A quarantined message."""
    payload: bytes = row["payload"]
    fields = {"id": str(row["id"]), "payload": payload.decode("utf-8", "replace"), "whole": is_whole(row)}
    return models.Quarantined(**row | fields)


def english(texts: dict[str, str]) -> str:
    """The English one of texts by language."""
    return texts["en"]


def next_page(rows: list[Row], limit: int, key: str) -> str | None:
    """Where the next page begins; None when this one was not full."""
    return str(rows[-1][key]) if len(rows) == limit else None
