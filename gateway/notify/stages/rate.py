"""Stage `rate`: no flood for one person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.core.outcome import Hold, Outcome, Pass
from gateway.core.reason import Reason
from gateway.notify.model import Bulletin, Facts

HOUR = timedelta(hours=1)


def rate(batch: Sequence[Facts]) -> list[Outcome]:
    """Hold what exceeds the notices of an hour, until the hour has room again; safety never waits.

    What the same set tells a person before counts. The units of one campaign count once: they are one message.
    """
    times: dict[int, list[datetime]] = {}
    of_message: dict[tuple[int, int, str], Outcome] = {}
    outcomes: list[Outcome] = []
    for facts in batch:
        person_id = facts.owner.person_id if facts.owner else 0
        subject = facts.subject
        message = (person_id, subject.campaign_id, subject.kind) if isinstance(subject, Bulletin) else None
        outcome = of_message.get(message) if message else None
        if outcome is None:
            told = times.setdefault(person_id, list(facts.recent_notice_times))
            outcome = _rate(facts, told)
            told.append(outcome.until if isinstance(outcome, Hold) else facts.now)
            told.sort()
            if message:
                of_message[message] = outcome
        outcomes.append(outcome)
    return outcomes


def _rate(facts: Facts, told: Sequence[datetime]) -> Outcome:
    limit = facts.policy.notices_per_hour
    if facts.subject.severity == "safety":
        return Pass(Reason.of("safety-at-once"))
    if len(told) < limit:
        return Pass(Reason.of("room-in-the-hour", count=len(told), limit=limit))
    return Hold(told[-limit] + HOUR, Reason.of("enough-for-an-hour", limit=limit))
