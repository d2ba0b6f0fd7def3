"""The next owner of a unit is told of its active alarms, as of new ones.

An alarm is due when an ownership begins: at a claim, at an import, or later where an import says so. It is handled in a
transaction that holds the reader's place. So the event that clears it is handled before, or finds the notice.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from gateway.events import Event, append
from gateway.events.dead_letters import pause_after
from gateway.notify import repository
from gateway.notify.model import Policy, Stage
from gateway.notify.repository import queries
from gateway.notify.service import tell
from gateway.store import Connection, holds_up_all

log = logging.getLogger(__name__)

_OWNERSHIP = frozenset({"unit.claimed", "alarm.raised"})
"""Events of one unit after which an active alarm has another owner, or will have at a known time."""
_OWNERSHIPS = frozenset({"owners.imported"})


def note_ownership(tx: Connection, event: Event, now: datetime) -> None:
    """Note the active alarms that have another owner by this event, or will have, as due."""
    if event.kind in _OWNERSHIPS:
        tx.execute(queries.alarms_of_new_owners, {"known_at": event.at, "now": now})
    elif event.kind in _OWNERSHIP and event.unit_id is not None:
        # A late reading of the time before is for the former owner and support; the next owner is not told.
        known_at = None if event.kind == "alarm.raised" else event.at
        tx.execute(queries.alarms_of_new_owner, {"unit_id": event.unit_id, "known_at": known_at, "now": now})


def tell_new_owners(tx: Connection, now: datetime, limit: int, policy: Policy, stages: Sequence[Stage]) -> int:
    """Tell owners of the alarms that are due. Returns the number of alarms."""
    tries_by_alarm = {
        row["alarm_id"]: row["tries"] for row in tx.execute(queries.due_alarms, {"now": now, "limit": limit})
    }
    if not tries_by_alarm:
        return 0
    tx.execute(queries.next_ownership, {"ids": list(tries_by_alarm), "now": now})
    tx.execute(queries.alarms_looked_at, {"ids": list(tries_by_alarm), "now": now})
    for alarm_id, tries in tries_by_alarm.items():
        _tell(tx, alarm_id, tries, now, policy, stages)
    return len(tries_by_alarm)


def _tell(tx: Connection, alarm_id: int, tries: int, now: datetime, policy: Policy, stages: Sequence[Stage]) -> None:
    """Tell the owner of one alarm, after `tries` failed tries. One that fails holds up no other.

    It is tried again after longer and longer pauses. The log has one event of it, with the kind of the error only: the
    error's text may hold names.
    """
    try:
        with tx.transaction():
            alarm = repository.alarm(tx, alarm_id)
            facts = repository.facts(tx, alarm, now, policy)
            if alarm.cleared_at or facts.owner is None or repository.is_decided(tx, alarm.id, facts.owner.person_id):
                return
            tell(tx, facts, stages)
    except Exception as error:
        if holds_up_all(error):
            raise
        log.exception("The new owner cannot be told of alarm %d.", alarm_id)
        if not tries:
            failure = {"of": "alarm of a new owner", "alarm_id": alarm_id, "error": type(error).__name__}
            append(tx, "event.unhandled", failure)
        retry = {"id": alarm_id, "tries": tries + 1, "due_at": now + pause_after(tries + 1)}
        tx.execute(queries.alarm_again, retry)
