"""Stage `address`: whom the alarm concerns."""

from gateway.core.outcome import Drop, Outcome, Pass
from gateway.notify.model import Facts


def address(facts: Facts) -> Outcome:
    """Pass to the owner who had the unit when the alarm was raised; else nobody is told."""
    alarm, owner = facts.alarm, facts.owner
    if alarm.historic:
        return Drop("historic: it was too old when it was judged")
    if "owner" not in alarm.rule.audience:
        return Drop("the rule tells support only")
    if owner is None:
        return Drop("nobody is registered as the owner of this unit")
    if owner.since > alarm.raised_at:
        return Drop("the unit changed hands since")
    return Pass(f"owner since {owner.since:%Y-%m-%d}")
