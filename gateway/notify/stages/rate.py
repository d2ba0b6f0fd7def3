"""Stage `rate`: no flood for one person."""

from datetime import timedelta

from gateway.core.outcome import Hold, Outcome, Pass
from gateway.notify.model import Facts

HOUR = timedelta(hours=1)


def rate(facts: Facts) -> Outcome:
    """Hold what exceeds the notices of an hour, until the hour has room again; safety never waits."""
    told, limit = facts.recent_notice_times, facts.policy.notices_per_hour
    if facts.subject.severity == "safety":
        return Pass("safety is told at once")
    if len(told) < limit:
        return Pass(f"{len(told)} of {limit} notices in the last hour")
    return Hold(told[-limit] + HOUR, f"{limit} notices in the last hour are enough")
