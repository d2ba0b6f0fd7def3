"""Rows about people become what the API returns to the staff, in the reader's language."""

from datetime import datetime

from gateway.api.models import ProductRef
from gateway.api.staff import people_models as models
from gateway.api.views import notice_fields, unit_fields, words
from gateway.config import Settings
from gateway.notify.addresses import Reach
from gateway.notify.channels.registry import CHANNELS, device_channel
from gateway.readings.connection import connection
from gateway.store import Row
from gateway.text import Speech
from gateway.text.reasons import reason_text

_WORST_FIRST = ("recalled", "critical", "checking", "warning", "update", "info", "unknown", "fine")


def account(row: Row) -> models.AccountOfPerson | None:
    """Returns the account of a person's row; None without one."""
    return models.AccountOfPerson(**row) if row["id"] else None


def network(reach: Reach, stopped: str | None, now: datetime, say: Speech) -> models.Network:
    """Returns on which channels a person is told, and why."""
    order = reach.order(now, CHANNELS)
    why = order.reason.document() or {}
    return models.Network(
        order=list(order.channels),
        chosen=reach.choice,
        reason=reason_text(order.reason, say),
        because=why.get("code", ""),
        count=why.get("count"),
        all=why.get("all"),
        mail_stopped_because=reason_text(stopped, say) or None,
    )


def sign_ins(row: Row) -> models.SignIns:
    """Returns where a person is and was signed in."""
    sessions = [models.SessionOfPerson(**each) for each in row["sessions"] or []]
    moments = [datetime.fromisoformat(at) for at in row["browsers"] or []] + [each.since for each in sessions]
    return models.SignIns(sessions=sessions, browsers=len(row["browsers"] or []), last_at=max(moments, default=None))


def phones(registered: int, row: Row) -> models.Phones:
    """Returns how many phones there are, and when one was last used."""
    return models.Phones(registered=registered, last_used_at=(row["used"] or {}).get(device_channel()))


def units(rows: list[Row], now: datetime, say: Speech) -> list[models.UnitOfPerson]:
    """Returns units, those that need somebody first."""
    shown = [_unit(row, now, say) for row in rows]
    return sorted(shown, key=lambda unit: _WORST_FIRST.index(unit.state))


def _unit(row: Row, now: datetime, say: Speech) -> models.UnitOfPerson:
    fields = unit_fields(row | {"readings": None}, say.language)
    return models.UnitOfPerson(
        id=row["id"],
        serial=row["serial"],
        product=ProductRef(**fields["product"]),
        place=row["place"],
        state=fields["state"],
        alarms=[words(alarm["title"], say.language) for alarm in row["alarms"] or []],
        connection=connection(row["last_seen"], row["cadence"], now),
        last_seen=row["last_seen"],
        since=row["since"],
    )


def notices(rows: list[Row], name: str, say: Speech) -> list[models.NoticeOfPerson]:
    """Returns notices to a person with this name."""
    return [_notice(row, name, say) for row in rows]


def _notice(row: Row, name: str, say: Speech) -> models.NoticeOfPerson:
    return models.NoticeOfPerson(
        **notice_fields(row, say),
        person=name,
        read_at=row["read_at"],
        acknowledged_at=row["acknowledged_at"],
        deliveries=[
            models.Trail(**each | {"reason": reason_text(each["reason"], say)}) for each in row["deliveries"] or []
        ],
    )


def time_zone(row: Row, settings: Settings) -> str:
    """Returns the zone of the times that a person sees."""
    return str(settings.maker.zone_of(row["time_zone"]))
