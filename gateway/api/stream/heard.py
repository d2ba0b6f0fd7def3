"""Whom an event of the log concerns: the pure filters that keep everybody else's events out of a person's stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.accounts.sessions import SIGNED_OUT, SIGNED_OUT_EVERYWHERE
from gateway.events import Event
from gateway.registrations.repository import owners_when
from gateway.store import Connection

_MOMENTS = ("raised_at", "cleared_at")
_OWN_KINDS = frozenset({"unit.claimed", "unit.released", "unit.claim_attempts"})


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and who owned its unit both when it was written and at the moment that it tells of."""

    event: Event
    owner: int | None


Filter = Callable[[Heard], bool]


def hear(connection: Connection, events: Sequence[Event]) -> list[Heard]:
    """These events with the owners of their units."""
    places = [(event.unit_id, event.at, _moment(event)) for event in events if event.unit_id is not None]
    owners = iter(owners_when(connection, places))
    return [Heard(event, None if event.unit_id is None else next(owners)) for event in events]


def _moment(event: Event) -> datetime:
    """The device's time that an alarm tells of: what was measured before may be judged, and told, later."""
    if event.kind.startswith("alarm."):
        for name in _MOMENTS:
            if name in event.data:
                return datetime.fromisoformat(event.data[name])
    return event.at


def everything(_heard: Heard) -> bool:
    """What the staff's streams want."""
    return True


def nothing(_heard: Heard) -> bool:
    """What ends a stream that only its reader ends."""
    return False


def of_person(person_id: int) -> Filter:
    """Notices to this person, alarms of what they owned, and the coming and going of their units; nothing else."""

    def wants(heard: Heard) -> bool:
        event, owner = heard.event, heard.owner
        if event.kind in _OWN_KINDS:
            return event.person_id == person_id
        if event.kind.startswith("alarm."):
            return owner == person_id
        if event.kind.startswith("notice."):
            # A notice of a unit that has another owner by now may tell of their time.
            return event.person_id == person_id and (event.unit_id is None or owner == person_id)
        return False

    return wants


def signs_out(account: str, session: str) -> Filter:
    """The end of this session, or of all of the account's."""

    def ended_by(heard: Heard) -> bool:
        event = heard.event
        if event.data.get("account") != account:
            return False
        return event.kind == SIGNED_OUT_EVERYWHERE or (
            event.kind == SIGNED_OUT and event.data.get("session") == session
        )

    return ended_by
