"""Rows of the my_* views become what the API returns, in the owner's language where there is a text in it."""

from datetime import datetime

from gateway.accounts.model import Account
from gateway.api import models, views
from gateway.api.owner import models as my_models
from gateway.api.views import notice_fields, unit_fields, words
from gateway.campaigns.repository import as_written
from gateway.events import Event
from gateway.readings.connection import connection
from gateway.rules.document import RuleDocument, stored_rule
from gateway.store import Row
from gateway.text import Speech
from gateway.text.reasons import reason_text


def unit(row: Row, account: Account, now: datetime) -> my_models.MyUnit:
    """A unit of theirs. One that was never heard of is unknown, not offline."""
    language = account.language
    return my_models.MyUnit(
        **unit_fields(row | {"alarms": _in_language(row["alarms"], language)}, language),
        owner=account.name,
        place=row["place"],
        since=row["since"],
        connection=connection(row["last_seen"], row["cadence"], now),
        checks=[check(each, language) for each in row["checks"] or []],
        cadence_s=row["cadence"].total_seconds(),
    )


def unit_page(row: Row, facts: Row, account: Account, now: datetime) -> my_models.MyUnitPage:
    """A unit of theirs with all that its page shows."""
    return my_models.MyUnitPage(
        **unit(row, account, now).model_dump(),
        support_until=facts["support_until"],
        recall_free_at=facts["recall_free_at"],
        limits=[limit for rule in facts["rules"] or [] for limit in _limits(stored_rule(**rule))],
        history=_in_language(facts["history"], account.language),
    )


def _limits(rule: RuleDocument) -> list[my_models.UnitLimit]:
    condition = rule.condition
    return [
        my_models.UnitLimit(
            metric=condition.quantity.metric, value=limit.value, side=limit.side, severity=rule.severity
        )
        for limit in condition.limits
    ]


def _in_language(alarms: list[Row] | None, language: str) -> list[Row]:
    return [each | {"title": words(each["title"], language)} for each in alarms or []]


def check(row: Row, language: str) -> my_models.RecallCheck:
    """A recall that may concern a unit."""
    content = as_written(row)["content"]
    return my_models.RecallCheck(
        number=row["number"],
        title=words(content["title"], language),
        contact=content["contact"],
        published_at=row["published_at"],
    )


def notice(row: Row, account: Account, say: Speech) -> my_models.MyNotice:
    """A notice to the person."""
    deliveries = [each | {"reason": reason_text(each["reason"], say)} for each in row["deliveries"] or []]
    return my_models.MyNotice(
        **notice_fields(row, say),
        person=account.name,
        group_size=row["group_size"],
        read_at=row["read_at"],
        acknowledged_at=row["acknowledged_at"],
        deliveries=[my_models.Delivery(**each) for each in deliveries],
    )


def event(happened: Event) -> my_models.MyEvent:
    """An event of their stream: without who did it, without numbers that are ours alone, and without the onset of an
    alarm, which may lie in somebody else's time.
    """
    event = views.event(happened)
    data = {name: value for name, value in event.data.items() if name not in {"onset", "trace"}}
    return my_models.MyEvent(cursor=event.cursor, at=event.at, kind=event.kind, unit=event.unit, data=data)


def product(row: Row, account: Account) -> models.ProductRef:
    """A product, as an owner is asked which one is meant."""
    return models.ProductRef(code=row["code"], name=words(row["name"], account.language), model=row["model"])
