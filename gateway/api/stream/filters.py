"""Filters of events: which events a stream gets, and which event ends it. Pure functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.accounts.sessions import SIGNED_OUT, SIGNED_OUT_EVERYWHERE
from gateway.events import Event
from gateway.registrations.repository import owners_when
from gateway.store import Connection

_MOMENTS = ("raised_at", "cleared_at")
_ALARM_KINDS = frozenset({"alarm.raised", "alarm.cleared"})
"""What the staff do about an alarm is theirs."""
_OWN_KINDS = frozenset({"unit.claimed", "unit.released", "unit.claim_attempts"})


@dataclass(frozen=True, slots=True)
class EventAndOwner:
    """An event, and who owned its unit both when it was written and at the moment that it is about."""

    event: Event
    owner: int | None


Filter = Callable[[EventAndOwner], bool]


def with_owners(connection: Connection, events: Sequence[Event]) -> list[EventAndOwner]:
    """Returns these events with the owners of their units."""
    places = [(event.unit_id, event.at, _moment(event)) for event in events if event.unit_id is not None]
    owners = iter(owners_when(connection, places))
    return [EventAndOwner(event, None if event.unit_id is None else next(owners)) for event in events]


def _moment(event: Event) -> datetime:
    """Returns the device's time of an alarm, which may be well before the event; else the time of the event."""
    if event.kind.startswith("alarm."):
        for name in _MOMENTS:
            if name in event.data:
                return datetime.fromisoformat(event.data[name])
    return event.at


def all_events(_item: EventAndOwner) -> bool:
    """Whether the staff's streams get an event: always."""
    return True


def no_event(_item: EventAndOwner) -> bool:
    """Whether an event ends a stream that only its reader ends: never."""
    return False


def events_of_person(person_id: int) -> Filter:
    """Returns a filter for a person's notices, the alarms of units they owned, and the begin and end of ownerships."""

    def wants(item: EventAndOwner) -> bool:
        event, owner = item.event, item.owner
        if event.kind in _OWN_KINDS:
            return event.person_id == person_id
        if event.kind in _ALARM_KINDS:
            return owner == person_id
        if event.kind.startswith("notice."):
            # A notice of a unit that has another owner now may be about the time of that owner.
            return event.person_id == person_id and (event.unit_id is None or owner == person_id)
        return False

    return wants


def end_of_session(account: str, session: str) -> Filter:
    """Returns a filter for the end of this session, or of all sessions of the account."""

    def ended_by(item: EventAndOwner) -> bool:
        event = item.event
        if event.data.get("account") != account:
            return False
        return event.kind == SIGNED_OUT_EVERYWHERE or (
            event.kind == SIGNED_OUT and event.data.get("session") == session
        )

    return ended_by
