"""Stage `address`: whom it concerns."""

from collections.abc import Sequence

from gateway.core.outcome import Drop, Outcome, Pass
from gateway.core.reason import Reason
from gateway.notify.model import Alarm, Facts
from gateway.registrations.model import Owner


def address(batch: Sequence[Facts]) -> list[Outcome]:
    """Pass to the owner who had the unit when the alarm was raised, or who has it while it is active; else drop it."""
    return [_address(facts) for facts in batch]


def _address(facts: Facts) -> Outcome:
    subject, owner = facts.subject, facts.owner
    if isinstance(subject, Alarm):
        return _of_alarm(subject, owner)
    if owner is not None and subject.takes_back and not facts.told_of_former:
        return Drop(Reason.of("not-told-of-former", former=subject.takes_back))
    return _owner(owner)


def _of_alarm(alarm: Alarm, owner: Owner | None) -> Outcome:
    if alarm.historic:
        return Drop(Reason.of("historic"))
    if "owner" not in alarm.rule.audience:
        return Drop(Reason.of("support-only"))
    if owner is not None and owner.since > alarm.raised_at:
        if alarm.cleared_at is not None or alarm.judged_at > owner.since:  # it came late, of the former owner's time
            return Drop(Reason.of("changed-hands"))
        return Pass(Reason.of("active-when-theirs", since=owner.since))
    return _owner(owner)


def _owner(owner: Owner | None) -> Outcome:
    if owner is None:
        return Drop(Reason.of("nobody-registered"))
    return Pass(Reason.of("owner-since", since=owner.since))
