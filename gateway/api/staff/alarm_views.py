"""Rows of alarms become what the API returns, in the language of who asks."""

from typing import Any

from gateway.api.staff import alarm_models as models
from gateway.api.staff import views
from gateway.api.staff.notice_views import notice_record
from gateway.api.views import words
from gateway.rules.document import RuleDocument
from gateway.rules.sentence import plain_sentence, sentence
from gateway.store import Row
from gateway.text import Speech

_OF_LINE = (
    *("id", "unit", "serial", "product", "model", "severity", "rule", "version", "title", "onset", "raised_at"),
    *("judged_at", "historic", "evidence", "cleared_at", "clearing", "standing", "revision", "acknowledged_at"),
    *("acknowledged_by", "verdict", "resolved_at"),
)
COLUMNS = (
    *("alarm", "standing", "severity", "title", "rule", "version", "product", "serial", "onset", "raised", "cleared"),
    *("historic", "acknowledged", "acknowledged by", "assigned to", "verdict", "resolved"),
)
"""Of a saved list."""


def line(row: Row, say: Speech) -> models.AlarmLine:
    """An alarm in a list."""
    return models.AlarmLine(**_line_fields(row, say))


def _line_fields(row: Row, say: Speech) -> dict[str, Any]:
    assignee = models.StaffMember(id=row["assignee_id"], name=row["assignee"]) if row["assignee_id"] else None
    named = {"product_name": words(row["product_name"], say.language), "assignee": assignee}
    return {name: row[name] for name in _OF_LINE} | named


def saved(row: Row) -> list[object]:
    """An alarm as a line of a saved list."""
    return [
        *(row[name] for name in ("id", "standing", "severity", "title", "rule", "version", "product", "serial")),
        *(_moment(row[name]) for name in ("onset", "raised_at", "cleared_at")),
        "yes" if row["historic"] else "no",
        *(_moment(row["acknowledged_at"]), row["acknowledged_by"], row["assignee"], row["verdict"]),
        _moment(row["resolved_at"]),
    ]


def _moment(value: Any) -> str | None:  # noqa: ANN401 - a time, or nothing
    return value.isoformat() if value else None


def record(row: Row, acts: list[Row], ledger: list[Row], notices: list[Row], say: Speech) -> models.AlarmRecord:
    """One alarm with all that is known about it."""
    rule = RuleDocument.model_validate(row["document"])
    metric = rule.condition.quantity.metric
    metric_title = words(row["metric_title"], say.language) if row["metric_title"] else metric
    titled = row | {"id": row["public_id"], "title": words(rule.title, say.language)}
    return models.AlarmRecord(
        **_line_fields(titled, say),
        lot=row["lot"],
        firmware=row["firmware"],
        sentence=sentence(rule),
        plain=plain_sentence(rule, metric_title, say.language),
        metric=metric,
        metric_title=metric_title,
        measure=rule.condition.quantity.unit,
        limit=rule.condition.crossed_limit(row["evidence"]["value"]),
        normal=None if row["normal_low"] is None else (row["normal_low"], row["normal_high"]),
        latest_at=row["latest_at"],
        latest_value=row["latest_value"],
        owner=_owner(row),
        acts=[_act(each) for each in acts],
        ledger=[views.ledger_line(each, say) for each in ledger],
        notices=[notice_record(each, say) for each in notices],
    )


def _owner(row: Row) -> models.Owner | None:
    if row["owner"] is None:
        return None
    return models.Owner(
        id=row["owner"],
        name=row["owner_name"],
        email=row["owner_email"],
        phone=row["owner_phone"],
        language=row["owner_language"],
    )


def _act(row: Row) -> models.DoneAct:
    return models.DoneAct(
        id=row["id"],
        at=row["at"],
        by=row["by"],
        act=row["act"],
        verdict=row["value"] if row["act"] == "verdict" else None,
        assignee=row["assignee"],
        text=row["text"],
    )
