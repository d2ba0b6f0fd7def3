"""Rows of units as the API returns them to the staff, in the language of who asks."""

from datetime import datetime

from gateway.api.models import SuspendedProduct
from gateway.api.staff import unit_models as models
from gateway.api.views import unit_fields, words
from gateway.notify.repository import as_written
from gateway.readings.connection import connection
from gateway.store import Row
from gateway.support.units.lists import Count, State
from gateway.support.units.record import UnitRecord
from gateway.text import Speech
from gateway.text.reasons import reason_text

_FACTS = (
    "made_on",
    "hardware",
    "region",
    "sold_on",
    "support_until",
    "order_number",
    "is_test",
    "firmware_reported_at",
)


def line(row: Row, say: Speech, now: datetime) -> models.UnitLine:
    """Returns a unit with the name of its owner."""
    alarms = [each | {"title": words(each["title"], say.language)} for each in row["alarms"] or []]
    return models.UnitLine(
        **unit_fields(row | {"alarms": alarms}, say.language),
        owner=row["owner"],
        connection=connection(row["last_seen"], row["cadence"], now),
    )


def counts(units: Count, states: dict[State, Count]) -> models.UnitCounts:
    """Returns the counts of a list."""
    return models.UnitCounts(
        units=models.Count(number=units.number, more=units.more),
        states={state: models.Count(number=each.number, more=each.more) for state, each in states.items()},
    )


def record(found: UnitRecord, say: Speech, now: datetime) -> models.UnitRecord:
    """Returns the record of a unit."""
    row = found.unit
    suspended = row["suspended_since"] and SuspendedProduct(
        product=row["code"], since=row["suspended_since"], reason=row["suspended_because"]
    )
    return models.UnitRecord(
        **{name: row[name] for name in _FACTS},
        unit=line(row, say, now),
        suspended=suspended or None,
        owners=[models.RecordOwner(**each) for each in found.owners],
        firmware_changes=[models.FirmwareChange(**each) for each in found.firmwares],
        alarms=[_alarm(each, say) for each in found.alarms],
        notices=[_notice(each, say, now) for each in found.notices],
        campaigns=[_campaign(each, say) for each in found.campaigns],
        limits=[
            models.ChartLimit(metric=each.metric, value=each.value, label=words(dict(each.title), say.language))
            for each in found.limits
        ],
    )


def _alarm(row: Row, say: Speech) -> models.RecordAlarm:
    return models.RecordAlarm(**row | {"title": words(row["title"], say.language)})


def _notice(row: Row, say: Speech, now: datetime) -> models.RecordNotice:
    is_held = row["visible_at"] > now
    return models.RecordNotice(
        **{name: row[name] for name in models.RecordNotice.model_fields if name in row and name not in _IN_WORDS},
        title=as_written(row)["text"]["title"],
        held_until=row["visible_at"] if is_held else None,
        held_because=reason_text(row["hold_reason"], say) or None if is_held else None,
        untold_because=reason_text(row["skip_reason"], say) or None,
        deliveries=[
            models.RecordDelivery(**each | {"reason": reason_text(each["reason"], say)})
            for each in row["deliveries"] or []
        ],
        opened=[models.RecordOpened(**each) for each in row["opened"] or []],
    )


_IN_WORDS = {"deliveries", "opened"}


def _delivery(row: Row, say: Speech) -> models.RecordDelivery:
    return models.RecordDelivery(**row | {"reason": reason_text(row["reason"], say)})


def _campaign(row: Row, say: Speech) -> models.RecordCampaign:
    content = row["content"]
    action = content.get("action_text")
    return models.RecordCampaign(
        **{name: row[name] for name in models.RecordCampaign.model_fields if name in row and name != "standing"},
        title=words(content["title"], say.language),
        action=words(action, say.language) if action else None,
        standing=row["standing"] or ("checking" if row["is_checked"] else "none"),
    )
