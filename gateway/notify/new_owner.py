"""An active alarm passes to whoever owns the unit next: they are told of it, as of a fresh one.

An alarm is due when an ownership begins: at a claim, at an import, or later where an import says so. It must be looked
at in a transaction that holds the reader's place: then what clears it is handled before, or finds the notice.
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
"""Events of one unit after which an active alarm may have another owner, now or at a time that is known already."""
_OWNERSHIPS = frozenset({"owners.imported"})


def note_ownership(tx: Connection, event: Event, now: datetime) -> None:
    """Have the active alarms looked at that an event gave, or will give, to another owner."""
    if event.kind in _OWNERSHIPS:
        tx.execute(queries.alarms_of_new_owners, {"known_at": event.at, "now": now})
    elif event.kind in _OWNERSHIP and event.unit_id is not None:
        # What comes later of before an ownership is its former owner's matter, and support's: the next one is not told.
        known_at = None if event.kind == "alarm.raised" else event.at
        tx.execute(queries.alarms_of_new_owner, {"unit_id": event.unit_id, "known_at": known_at, "now": now})


def tell_new_owners(tx: Connection, now: datetime, limit: int, policy: Policy, stages: Sequence[Stage]) -> int:
    """Tell of the alarms that are due; returns how many there were."""
    due = {row["alarm_id"]: row["tries"] for row in tx.execute(queries.due_alarms, {"now": now, "limit": limit})}
    if not due:
        return 0
    tx.execute(queries.next_ownership, {"ids": list(due), "now": now})
    tx.execute(queries.alarms_looked_at, {"ids": list(due), "now": now})
    for alarm_id, tries in due.items():
        _tell(tx, alarm_id, tries, now, policy, stages)
    return len(due)


def _tell(tx: Connection, alarm_id: int, tries: int, now: datetime, policy: Policy, stages: Sequence[Stage]) -> None:
    """Tell of one alarm, after so many tries that failed; one that cannot be told holds up no other.

    It is tried again ever more seldom. The log says so once, and the kind of the error only: its words may carry names.
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
            failed = {"of": "alarm of a new owner", "alarm_id": alarm_id, "error": type(error).__name__}
            append(tx, "event.unhandled", failed)
        again = {"id": alarm_id, "tries": tries + 1, "due_at": now + pause_after(tries + 1)}
        tx.execute(queries.alarm_again, again)
