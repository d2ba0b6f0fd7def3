"""Stage `address`: whom it concerns."""

from collections.abc import Sequence

from gateway.core.outcome import Drop, Outcome, Pass
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
        return Drop(f"was not told of {subject.takes_back}, so there is nothing to take back")
    return _owner(owner)


def _of_alarm(alarm: Alarm, owner: Owner | None) -> Outcome:
    if alarm.historic:
        return Drop("historic: it was too old when it was judged")
    if "owner" not in alarm.rule.audience:
        return Drop("the rule tells support only")
    if owner is not None and owner.since > alarm.raised_at:
        if alarm.cleared_at is not None or alarm.judged_at > owner.since:  # it came late, of the former owner's time
            return Drop("the unit changed hands since")
        return Pass(f"active when it became theirs on {owner.since:%Y-%m-%d}")
    return _owner(owner)


def _owner(owner: Owner | None) -> Outcome:
    if owner is None:
        return Drop("nobody is registered as the owner of this unit")
    return Pass(f"owner since {owner.since:%Y-%m-%d}")
