"""What the tries of one delivery come to, all addresses together; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Status = Literal["waiting", "delivered", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Tried:
    """The last try at one address."""

    outcome: Literal["delivered", "retry", "failed", "unknown"]
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How often, and after which pauses, a delivery is tried."""

    attempts: int
    retry_first: timedelta
    retry_max: timedelta


@dataclass(frozen=True, slots=True)
class Verdict:
    """A delivery's state after a try, with its reason."""

    status: Status
    reason: str


def is_open(tried: Tried, severity: str) -> bool:
    """Whether this address is tried again: what was surely not taken, and of safety also what nobody knows."""
    return tried.outcome == "retry" or (tried.outcome == "unknown" and severity == "safety")


def verdict(tries: Sequence[Tried], severity: str, attempt: int, limits: Limits) -> Verdict:
    """Waiting while an address is open; delivered when one was reached; unknown before failed."""
    reached = [tried for tried in tries if tried.outcome == "delivered"]
    unknown = [tried for tried in tries if tried.outcome == "unknown"]
    counted = f"reached {len(reached)} of {len(tries)}; " if reached and len(tries) > 1 else ""
    still = [tried for tried in tries if is_open(tried, severity)]
    if still and attempt < limits.attempts:
        if still[0].outcome == "unknown":
            return Verdict("waiting", f"{counted}sent again because it is about safety: {still[0].reason}")
        return Verdict("waiting", f"{counted}tried again: {still[0].reason}")
    if reached:
        others = next((f"; {tried.reason}" for tried in tries if tried.outcome != "delivered"), "")
        return Verdict("delivered", f"{counted.removesuffix('; ')}{others}" if counted else reached[0].reason)
    if unknown:
        return Verdict("unknown", unknown[0].reason)
    if still:
        return Verdict("failed", f"given up after {attempt} tries: {still[0].reason}")
    return Verdict("failed", tries[0].reason if tries else "there is no address any more")


def pause(attempt: int, limits: Limits, asked: timedelta | None, dice: float) -> timedelta:
    """How long to wait after a try: doubling, with jitter (`dice` in 0..1), and never less than the provider asks."""
    doubled = min(limits.retry_first * 2.0 ** min(attempt - 1, 30), limits.retry_max)
    return max(doubled * (0.5 + dice / 2), asked or timedelta())
