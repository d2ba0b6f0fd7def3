"""The preferred network: on which channel a person gets a notice first, and the sentence that says why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.reason import Reason
from gateway.notify.channels.registry import default_order

HALF_LIFE = timedelta(days=30)
ENGAGEMENT_LIFE = timedelta(days=180)
"""Older engagements do not count: six half-lives."""
RECENT_MAX = 8
"""The number of last engagements that the sentence counts."""
WEIGHT: Mapping[str, float] = {"acknowledged": 1.5, "opened": 1.0, "signed_in": 0.25}
LEAST_SCORE = 0.5
"""The lowest score that decides the order: one opened notice, or a few sign-ins, of the last month."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """An act of a person that shows on which channel they look."""

    channel: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """The channels in the order in which they are tried, and the reason."""

    channels: tuple[str, ...]
    reason: Reason


def choose(
    choice: str | None,
    engagements: Sequence[Engagement],
    available: Collection[str],
    now: datetime,
) -> Order:
    """Returns the order by the person's choice, else by engagements, else the default; all channels have an address."""
    usable = tuple(channel for channel in default_order() if channel in available)
    if not usable:
        return Order((), Reason.of("nowhere"))
    if choice in usable:
        return Order(_first(choice, usable), Reason.of("chosen", channel=choice))

    def order(channels: tuple[str, ...], reason: Reason) -> Order:
        return Order(
            channels, Reason.of("chosen-without", channel=choice, missing=choice, reason=reason) if choice else reason
        )

    if len(usable) == 1:
        return order(usable, Reason.of("only-way", channel=usable[0]))
    recent = [item for item in engagements if item.channel in usable and _age(item, now) <= ENGAGEMENT_LIFE]
    scores = {channel: sum(_score(item, now) for item in recent if item.channel == channel) for channel in usable}
    best = max(usable, key=lambda channel: scores[channel])
    if scores[best] < LEAST_SCORE or all(score == scores[best] for score in scores.values()):
        return order(usable, Reason.of("default", channel=usable[0]))
    return order(_first(best, usable), _engagement_reason(best, recent))


def _first(channel: str, usable: tuple[str, ...]) -> tuple[str, ...]:
    return (channel, *(other for other in usable if other != channel))


def _age(engagement: Engagement, now: datetime) -> timedelta:
    return max(now - engagement.at, timedelta())


def _score(engagement: Engagement, now: datetime) -> float:
    """Returns the score of an engagement today: half as much after each 30 days."""
    return float(WEIGHT.get(engagement.kind, 0.0) * 0.5 ** (_age(engagement, now) / HALF_LIFE))


def _engagement_reason(best: str, engagements: Sequence[Engagement]) -> Reason:
    """Returns the reason with the strongest kind of engagement, counted so that the person can follow it."""
    for kind in ("opened", "acknowledged", "signed_in"):
        recent = sorted((item for item in engagements if item.kind == kind), key=lambda item: item.at)[-RECENT_MAX:]
        count = sum(item.channel == best for item in recent)
        if 2 * count > len(recent):
            return Reason.of(f"often-{kind}", count=count, all=len(recent), channel=best)
    return Reason.of("lately", channel=best)
