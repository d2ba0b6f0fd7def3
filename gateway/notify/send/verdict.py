"""The verdict on the tries of one delivery at all its addresses; pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from gateway.core.reason import Reason

Status = Literal["waiting", "delivered", "failed", "unknown"]
Outcome = Literal["delivered", "retry", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Try:
    """The outcome of the last try at one address."""

    outcome: Outcome
    reason: Reason
    provider_id: str | None = None
    """What the provider calls the message."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The number of tries of a delivery, and the pauses between them."""

    attempts: int
    retry_first: timedelta
    retry_max: timedelta


@dataclass(frozen=True, slots=True)
class Verdict:
    """A delivery's state after a try, with its reason."""

    status: Status
    reason: Reason


def is_open(last_try: Try, severity: str) -> bool:
    """Whether an address is tried again: after Retry, and for safety also after Unknown."""
    return last_try.outcome == "retry" or (last_try.outcome == "unknown" and severity == "safety")


def verdict(tries: Sequence[Try], severity: str, attempt: int, limits: Limits) -> Verdict:
    """Returns waiting while an address is open, else delivered if one was reached, else unknown or failed."""
    reached = [item for item in tries if item.outcome == "delivered"]
    unknown = [item for item in tries if item.outcome == "unknown"]
    open_tries = [item for item in tries if is_open(item, severity)]
    if open_tries and attempt < limits.attempts:
        why = open_tries[0].reason
        again = open_tries[0].outcome == "unknown"
        return Verdict(
            "waiting",
            _counted(tries, Reason.of("sent-again", reason=why) if again else Reason.of("tried-again", reason=why)),
        )
    if reached:
        other = next((item.reason for item in tries if item.outcome != "delivered"), None)
        return Verdict("delivered", reached[0].reason if len(tries) == 1 else _counted(tries, other))
    if unknown:
        return Verdict("unknown", unknown[0].reason)
    if open_tries:
        return Verdict("failed", Reason.of("given-up", count=attempt, reason=open_tries[0].reason))
    return Verdict("failed", tries[0].reason if tries else Reason.of("no-address"))


def _counted(tries: Sequence[Try], reason: Reason | None) -> Reason:
    """The reason behind how many of several addresses were reached."""
    count = sum(item.outcome == "delivered" for item in tries)
    if reason is None:
        return Reason.of("reached", count=count, all=len(tries))
    return Reason.of("reached-and", count=count, all=len(tries), reason=reason) if count else reason


def pause(attempt: int, limits: Limits, least_wait: timedelta | None, dice: float) -> timedelta:
    """Returns the pause after a try: doubling, with jitter (`dice` in 0..1), at least what the provider asks for."""
    doubled = min(limits.retry_first * 2.0 ** min(attempt - 1, 30), limits.retry_max)
    return max(doubled * (0.5 + dice / 2), least_wait or timedelta())
