"""Database rows become what the API returns, to owners and to the staff."""

from typing import Any

from gateway.api import models
from gateway.core.clock import to_us
from gateway.core.ids import notice_number
from gateway.events import Event
from gateway.notify.bulletin_texts import action_steps
from gateway.notify.repository import as_written
from gateway.notify.steps import steps
from gateway.readings.history import History
from gateway.store import Row
from gateway.text import Speech
from gateway.text.reasons import reason_text

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

_REASONS = ("told_because", "sent_because", "matched", "cleared_reason")
_OF_NOTICE = ("id", "kind", "severity", "state", "count", "created_at", "updated_at", "resolved_at", "held_until")


def metric_history(metric: str, measure: str, history: History) -> models.Readings:
    """A metric over time, as charts take it."""
    points = [(to_us(at) // 1000, value) for at, value in history.points]
    return models.Readings(metric=metric, unit=measure, step=history.step, points=points, bands=list(history.bands))


def unit_fields(row: Row, language: str) -> dict[str, Any]:
    """The fields of `models.Unit`, in a language; what was never heard of is unknown, not fine."""
    reasons = {alarm["severity"] for alarm in row["alarms"] or []} | set(row.get("campaigns") or ())
    if row["checks"]:
        reasons.add("checking")
    return {
        "id": row["id"],
        "serial": row["serial"],
        "product": {"code": row["code"], "name": words(row["name"], language), "model": row["model"]},
        "lot": row["lot"],
        "firmware": row["firmware"],
        "last_seen": row["last_seen"],
        "state": _state(reasons, heard=row["last_seen"] is not None),
        "alarms": row["alarms"] or [],
        "readings": [each | {"title": words(each["title"], language)} for each in row["readings"] or []],
    }


def _state(reasons: set[str], *, heard: bool) -> models.UnitState:
    return next((_SHOWN[each] for each in _WORST_FIRST if each in reasons), "fine" if heard else "unknown")


def notice_fields(row: Row, say: Speech) -> dict[str, Any]:
    """The fields of `models.Notice`; its texts are in the language that its owner had, its reasons in the reader's."""
    row = as_written(row)
    is_alarm = row["kind"] == "alarm"
    product = words(row["product"], say.language)
    why = row["why"] | {name: reason_text(row["why"][name], say) for name in _REASONS if row["why"].get(name)}
    return {
        **row["text"],
        **{name: row[name] for name in _OF_NOTICE},
        "number": notice_number(row["row"]),
        "unit": {"id": row["unit"], "serial": row["serial"], "product": product, "model": row["model"]},
        "group": row["group_key"],
        "why": why if is_alarm else None,
        "campaign": None if is_alarm else _told(why),
        "hold_reason": reason_text(row["hold_reason"], say) or None,
    }


def _told(part: Row) -> Row:
    return part | {"steps": action_steps(part), "changes_listed": steps(part.get("changes") or "")}


def message(row: Row) -> models.Message:
    """A message; what is no text in it is shown as such."""
    return models.Message(**row | {"payload": row["payload"].decode("utf-8", "replace")})


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


def words(texts: dict[str, str], language: str) -> str:
    """The text in a language, else the English one."""
    return texts.get(language) or texts["en"]
