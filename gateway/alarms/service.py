"""Acts on alarms: decided, written and told in the event log, all in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.alarms import repository
from gateway.alarms.acts import Act, ActKind, Code, Refusal, decide
from gateway.core.errors import BadInput, GatewayError, NotFound
from gateway.events import append
from gateway.store import Connection

_NONE = "There is no such alarm."
_EVENTS: Mapping[ActKind, str] = {
    "acknowledge": "alarm.acknowledged",
    "unacknowledge": "alarm.unacknowledged",
    "assign": "alarm.assigned",
    "comment": "alarm.commented",
    "verdict": "alarm.judged",
    "resolve": "alarm.resolved",
    "reopen": "alarm.reopened",
}
_WORDS: Mapping[Code, str] = {
    "alarm_changed": "The alarm cleared meanwhile. Look at it again; nothing was changed.",
    "alarm_already_so": "That is so already; nothing was changed.",
    "alarm_closed": "This alarm is closed. Reopen it first.",
    "alarm_why": "Write why: the alarm is still active.",
    "alarm_value": "There is no such verdict.",
    "alarm_acts_full": "As many acts as are kept were done on this alarm. It can only be acknowledged or resolved.",
}


class ActRefused(GatewayError):
    """An act on an alarm changed nothing; the code says why, and the parameters who was faster."""

    status = 409


def act_on(tx: Connection, alarm: str, act: Act, actor: str, acts_max: int) -> int:
    """Do an act on the alarm with this public id, once. Returns its revision. Raises ActRefused, NotFound or BadInput.

    The alarm's row is held until `tx` ends, so that of two people one is first, and the other is told of them. An act
    that comes again, by its key, was done.
    """
    held = repository.hold(tx, alarm)
    if held is None:
        raise NotFound(_NONE)
    if repository.is_done(tx, held.id, act.key):
        return held.work.revision
    if act.kind == "assign" and act.value is not None:
        act = replace(act, assignee_id=_staff_member(tx, act.value))
    work = decide(held.work, act, acts_max)
    if isinstance(work, Refusal):
        raise _refused(tx, held, work)
    repository.keep(tx, held.id, work, act)
    data = {"alarm": alarm, "alarm_id": held.id, "revision": work.revision, "standing": work.standing}
    append(tx, _EVENTS[act.kind], data | ({"value": act.value} if act.value else {}), actor=actor, unit_id=held.unit_id)
    return work.revision


def _staff_member(tx: Connection, account: str) -> int:
    person_id = repository.staff_member(tx, account)
    if person_id is None:
        raise BadInput("There is no such member of the staff.", code="no_such_staff")
    return person_id


def _refused(tx: Connection, held: repository.Held, refusal: Refusal) -> ActRefused:
    """The refusal in words; where somebody was faster, with their name and what they did."""
    last = repository.last_change(tx, held.id) if refusal.code == "alarm_changed" else None
    if last is None or last["revision"] != held.work.revision:
        return ActRefused(_WORDS[refusal.code], code=refusal.code)
    text = f"{last['name']} was faster ({last['act']}). Look at the alarm again; nothing was changed."
    return ActRefused(text, code="alarm_overtaken", who=last["name"], act=last["act"])
