"""Alarms on their way to owners: raised ones, active ones of units that have a new owner, and those that are over.

An alarm waits in `alarm_due` until it is told, the gravest first: so a storm of warnings holds up no safety alarm. It
is due when it is raised, and when an ownership begins: at a claim, at an import, or later where an import says so. All
is done in transactions that hold the reader's place. So the event that clears an alarm is handled before, or finds the
notice.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway import metrics
from gateway.events import Event, append, append_each
from gateway.events.dead_letters import keep, pause_after
from gateway.events.log import read_one
from gateway.events.reader import NOTIFY
from gateway.logs import traced
from gateway.notify import repository
from gateway.notify.model import Alarm, Decision, Facts, Policy, Stage
from gateway.notify.repository import queries
from gateway.notify.service import tell
from gateway.registrations.repository import owners_at
from gateway.store import Connection, Json, Row
from gateway.store.halved import in_halves

log = logging.getLogger(__name__)

RAISED = "alarm.raised"
CLEARED = "alarm.cleared"
NEW_OWNER = frozenset({"unit.claimed"})
"""Events of one unit after which an active alarm has another owner, or will have at a known time."""
NEW_OWNERS = frozenset({"owners.imported"})
AT_ONCE = 200
"""Alarms of a turn at most. A safety alarm that is raised in a storm waits for them; larger sets are little faster."""
_ROUNDS_MAX = 10
"""An alarm that came again and again is told in so many rounds of a turn at most; the rest waits for the next turn."""
_HOUR = timedelta(hours=1)


def note_raised(tx: Connection, events: Sequence[tuple[Event, int]], now: datetime) -> None:
    """Have the alarms of these events told; with each event, how often it was tried before."""
    rows = [
        {
            "alarm_id": event.data["alarm_id"],
            "place": event.position.place,
            "tries": tries,
            "trace": event.data.get("trace"),
        }
        for event, tries in events
    ]
    tx.execute(queries.note_raised, {"rows": Json(rows), "now": now})


def resolve_cleared(tx: Connection, alarm_ids: Sequence[int], now: datetime) -> None:
    """Resolve the notices of cleared alarms, and write their events."""
    _resolve(tx, list(repository.alarms(tx, alarm_ids).values()), now)


def note_claimed(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Note the active alarms of units that have another owner by these events, or will have, as due."""
    events = [event for event in events if event.kind in NEW_OWNER]
    if events:
        unit_ids, known_ats = [event.unit_id for event in events], [event.at for event in events]
        tx.execute(queries.alarms_of_claimed_units, {"unit_ids": unit_ids, "known_ats": known_ats, "now": now})


def note_imported(tx: Connection, event: Event, now: datetime) -> None:
    """Note the active alarms that have another owner by an import as due."""
    if event.kind in NEW_OWNERS:
        tx.execute(queries.alarms_of_new_owners, {"known_at": event.at, "now": now})


def tell_due(tx: Connection, now: datetime, limit: int, policy: Policy, stages: Sequence[Stage]) -> int:
    """Tell owners of the alarms that are due. Returns the number of alarms.

    One that fails holds up no other. It is tried again after longer and longer pauses.
    """
    rows = tx.execute(queries.due_alarms, {"now": now, "limit": min(limit, AT_ONCE)}).fetchall()
    if not rows:
        return 0
    rounds = _rounds(tx, rows)[:_ROUNDS_MAX]
    ids = [row["alarm_id"] for each in rounds for row in each]
    tx.execute(queries.next_ownership, {"ids": ids, "now": now})
    tx.execute(queries.alarms_looked_at, {"ids": ids, "now": now})
    for each in rounds:
        in_halves(
            tx,
            each,
            lambda part: _tell(tx, part, now, policy, stages),
            lambda row, error: _put_off(tx, row, error, now),
        )
    return len(ids)


def _rounds(tx: Connection, rows: Sequence[Row]) -> list[list[Row]]:
    """Alarms in sets with one alarm of a unit and rule each, so that one that came again finds the notice."""
    keys_of = tx.execute(queries.alarm_keys, {"ids": [row["alarm_id"] for row in rows]})
    keys = {row["id"]: (row["unit_id"], row["rule_id"]) for row in keys_of}
    rounds: list[list[Row]] = []
    times: dict[tuple[int, str], int] = {}
    for row in rows:
        key = keys[row["alarm_id"]]
        nth = times[key] = times.get(key, -1) + 1
        if nth == len(rounds):
            rounds.append([])
        rounds[nth].append(row)
    return rounds


def _tell(tx: Connection, rows: Sequence[Row], now: datetime, policy: Policy, stages: Sequence[Stage]) -> None:
    """Tell owners of alarms, all or none; alarms that were decided before only to owners who were not considered."""
    alarm_ids = [row["alarm_id"] for row in rows]
    alarms = repository.alarms(tx, alarm_ids)
    owners = owners_at(tx, [alarm.unit_id for alarm in alarms.values()], now)
    decided = repository.decided(tx, alarm_ids)
    seen = {alarm_id for alarm_id, _ in decided}
    open_alarms = []
    for row in rows:
        alarm = alarms[row["alarm_id"]]
        owner = owners.get(alarm.unit_id)
        is_news = owner is not None and alarm.cleared_at is None and (alarm.id, owner.person_id) not in decided
        if is_news or alarm.id not in seen:
            open_alarms.append((alarm, row["trace"]))
    if not open_alarms:
        return
    owned = [(alarm, owners[alarm.unit_id]) for alarm, _ in open_alarms if alarm.unit_id in owners]
    earlier = repository.earlier_notices(tx, owned, now)
    times = repository.notice_times(tx, {owner.person_id for _, owner in owned}, now - _HOUR)
    batch = [
        Facts(
            subject=alarm,
            owner=(owner := owners.get(alarm.unit_id)),
            earlier=earlier.get(alarm.id),
            recent_notice_times=times.get(owner.person_id, ()) if owner else (),
            now=now,
            policy=policy,
            trace=trace,
        )
        for alarm, trace in open_alarms
    ]
    for decision in tell(tx, batch, stages, now):
        _log(decision)
    # The events of their clearing were handled before these.
    _resolve(tx, [alarm for alarm, _ in open_alarms if alarm.cleared_at is not None], now)


def _log(decision: Decision) -> None:
    stage, outcome = decision.steps[-1]
    with traced(decision.facts.trace):
        log.info("%s at %s: %s (stage=record).", type(decision.outcome).__name__, stage, outcome.reason)


def _resolve(tx: Connection, cleared: Sequence[Alarm], now: datetime) -> None:
    rows = [
        (
            notice["unit_id"],
            notice["person_id"],
            {
                "notice": notice["public_id"],
                "title": notice["text"]["title"],
                "cleared_at": notice["why"]["cleared_at"],
            },
        )
        for notice in repository.resolve(tx, cleared, now)
    ]
    append_each(tx, "notice.resolved", rows)


def _put_off(tx: Connection, row: Row, error: Exception, now: datetime) -> None:
    """Try an alarm again later: as the event that raised it, or as one of a new owner.

    The log has one event of it, with the kind of the error only: the error's text may hold names.
    """
    log.error("Alarm %d cannot be told; it is tried again later.", row["alarm_id"], exc_info=error)
    tries = row["tries"] + 1
    if row["place"] is not None and (event := read_one(tx, row["place"])):
        metrics.UNHANDLED.inc()
        keep(tx, NOTIFY, event, tries, error, now)
        return
    if tries == 1:
        failure = {"of": "alarm of a new owner", "alarm_id": row["alarm_id"], "error": type(error).__name__}
        append(tx, "event.unhandled", failure)
    tx.execute(queries.alarm_again, {"id": row["alarm_id"], "tries": tries, "due_at": now + pause_after(tries)})
