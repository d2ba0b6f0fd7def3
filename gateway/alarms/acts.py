"""What the staff do about an alarm. Pure: where the alarm stands and an act give where it stands then, or a refusal.

Two things are kept apart. Whether an alarm is *active* or *cleared* is the evaluator's alone: it follows the readings.
Whether it is *acknowledged* and *resolved* is the staff's word. An alarm is closed, that is nobody's work any more,
when it is cleared and acknowledged, or when somebody resolved it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

ActKind = Literal["acknowledge", "unacknowledge", "assign", "comment", "verdict", "resolve", "reopen"]
Verdict = Literal["real", "false", "known"]
Standing = Literal["active", "acknowledged", "cleared", "closed"]
"""Active and not acknowledged; active, acknowledged; cleared, not acknowledged; nobody's work any more."""
Code = Literal["alarm_changed", "alarm_already_so", "alarm_closed", "alarm_why", "alarm_value", "alarm_acts_full"]
"""Why an act is refused."""

TEXT_MAX = 2_000
STANDINGS: tuple[Standing, ...] = get_args(Standing)
_LAST: tuple[ActKind, ...] = ("acknowledge", "resolve")
"""What may still be done when there are as many acts as are kept: it ends the work."""
_OF_OPEN: tuple[ActKind, ...] = ("acknowledge", "assign", "resolve")


@dataclass(frozen=True, slots=True)
class Act:
    """An act of one person; `revision` is the one that they saw, None for a comment, which takes nothing back."""

    kind: ActKind
    key: str
    """Made by who sends it: an act that comes again is known by it."""
    person_id: int
    at: datetime
    revision: int | None = None
    value: str | None = None
    """Of a verdict that one; of an assignment the public id of the account. None takes it back."""
    assignee_id: int | None = None
    """The person that `value` names."""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """Where an alarm stands for the staff."""

    revision: int
    is_cleared: bool
    acknowledged_at: datetime | None = None
    acknowledged_by: int | None = None
    assignee_id: int | None = None
    verdict: Verdict | None = None
    resolved_at: datetime | None = None
    acts: int = 0

    @property
    def standing(self) -> Standing:
        """Which of the four it is."""
        acknowledged = self.acknowledged_at is not None
        if self.resolved_at is not None or (self.is_cleared and acknowledged):
            return "closed"
        if self.is_cleared:
            return "cleared"
        return "acknowledged" if acknowledged else "active"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act changes nothing."""

    code: Code


def decide(work: Work, act: Act, acts_max: int) -> Work | Refusal:
    """Returns where the alarm stands after an act, or why the act is refused."""
    if act.kind != "comment" and act.revision != work.revision:
        return Refusal("alarm_changed")
    if work.acts >= acts_max and act.kind not in _LAST:
        return Refusal("alarm_acts_full")
    if act.kind in _OF_OPEN and work.standing == "closed":
        return Refusal("alarm_closed")
    changed = _changed(work, act)
    if isinstance(changed, Refusal):
        return changed
    if changed == work and act.kind != "comment":
        return Refusal("alarm_already_so")
    # A comment leaves the revision: whoever is about to act need not look again for it.
    return replace(changed, acts=work.acts + 1, revision=work.revision + (act.kind != "comment"))


def _changed(work: Work, act: Act) -> Work | Refusal:
    match act.kind:
        case "acknowledge":
            changed: Work | Refusal = work if work.acknowledged_at else _acknowledged(work, act)
        case "unacknowledge":
            changed = Refusal("alarm_closed") if work.resolved_at else _not_acknowledged(work)
        case "assign":
            changed = replace(work, assignee_id=act.assignee_id)
        case "comment":
            changed = work if act.text else Refusal("alarm_why")
        case "verdict":
            changed = _judged(work, act.value)
        case "resolve":
            changed = _resolved(work, act)
        case "reopen":
            changed = _not_acknowledged(replace(work, resolved_at=None)) if work.standing == "closed" else work
    return changed


def _acknowledged(work: Work, act: Act) -> Work:
    return replace(work, acknowledged_at=act.at, acknowledged_by=act.person_id)


def _not_acknowledged(work: Work) -> Work:
    return replace(work, acknowledged_at=None, acknowledged_by=None)


def _judged(work: Work, value: str | None) -> Work | Refusal:
    if value is None:
        return replace(work, verdict=None)
    for verdict in get_args(Verdict):
        if value == verdict:
            return replace(work, verdict=verdict)
    return Refusal("alarm_value")


def _resolved(work: Work, act: Act) -> Work | Refusal:
    """Whoever resolves an alarm that is still active writes why: the readings say otherwise."""
    if not work.is_cleared and not act.text:
        return Refusal("alarm_why")
    seen = work if work.acknowledged_at else _acknowledged(work, act)
    return replace(seen, resolved_at=act.at)
