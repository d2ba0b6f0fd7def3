"""The preferred network: on which channel a person gets a notice first, and the sentence that says why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.notify.channels.registry import CHANNELS, channel_words, default_order, name_in

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
    """The channels in the order in which they are tried, and the reason in the person's language."""

    channels: tuple[str, ...]
    reason: str


def choose(
    choice: str | None,
    engagements: Sequence[Engagement],
    available: Collection[str],
    now: datetime,
    language: str = "en",
) -> Order:
    """Returns the order by the person's choice, else by engagements, else the default; all channels have an address."""
    words = _WORDS.get(language, _WORDS["en"])
    usable = tuple(channel for channel in default_order() if channel in available)
    if not usable:
        return Order((), words["nowhere"])
    if choice in usable:
        return Order(_first(choice, usable), words["choice"].format(by=name_in(choice, language)))
    missing = _missing(choice, language, words) if choice else ""
    if len(usable) == 1:
        return Order(usable, missing + words["only"].format(by=name_in(usable[0], language)))
    recent = [item for item in engagements if item.channel in usable and _age(item, now) <= ENGAGEMENT_LIFE]
    scores = {channel: sum(_score(item, now) for item in recent if item.channel == channel) for channel in usable}
    best = max(usable, key=lambda channel: scores[channel])
    if scores[best] < LEAST_SCORE or all(score == scores[best] for score in scores.values()):
        return Order(usable, missing + words["default"].format(by=name_in(usable[0], language)))
    return Order(_first(best, usable), missing + _engagement_reason(best, recent, language, words))


def _first(channel: str, usable: tuple[str, ...]) -> tuple[str, ...]:
    return (channel, *(other for other in usable if other != channel))


def _age(engagement: Engagement, now: datetime) -> timedelta:
    return max(now - engagement.at, timedelta())


def _score(engagement: Engagement, now: datetime) -> float:
    """Returns the score of an engagement today: half as much after each 30 days."""
    return float(WEIGHT.get(engagement.kind, 0.0) * 0.5 ** (_age(engagement, now) / HALF_LIFE))


def _missing(choice: str, language: str, words: Mapping[str, str]) -> str:
    """Returns the words on a choice that cannot be followed; empty where the channel exists no more."""
    if choice not in CHANNELS:
        return ""
    return words["missing"].format(by=name_in(choice, language), address=channel_words(choice, language)["missing"])


def _engagement_reason(best: str, engagements: Sequence[Engagement], language: str, words: Mapping[str, str]) -> str:
    """Returns the reason with the strongest kind of engagement, counted so that the person can follow it."""
    for kind in ("opened", "acknowledged", "signed_in"):
        recent = sorted((item for item in engagements if item.kind == kind), key=lambda item: item.at)[-RECENT_MAX:]
        count = sum(item.channel == best for item in recent)
        if 2 * count > len(recent):
            return words[kind].format(count=count, all=len(recent), by=name_in(best, language))
    return words["lately"].format(by=name_in(best, language))


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "choice": "you chose {by}",
        "missing": "you chose {by}, but {address}; ",
        "only": "{by} is the only way you gave us",
        "nowhere": "there is no confirmed address and no registered phone",
        "opened": "you opened {count} of the last {all} by {by}",
        "acknowledged": "you acknowledged {count} of the last {all} by {by}",
        "signed_in": "you signed in by {by} {count} of the last {all} times",
        "lately": "lately you were reached best by {by}",
        "default": "we start with {by}, until we know what reaches you",
    },
    "de": {
        "choice": "Sie haben {by} gewählt",
        "missing": "Sie haben {by} gewählt, aber {address}; ",
        "only": "{by} ist der einzige Weg, den Sie uns gegeben haben",
        "nowhere": "es gibt keine bestätigte Adresse und kein angemeldetes Telefon",
        "opened": "Sie haben {count} der letzten {all} per {by} geöffnet",
        "acknowledged": "Sie haben {count} der letzten {all} per {by} bestätigt",
        "signed_in": "Sie haben sich {count} der letzten {all} Male per {by} angemeldet",
        "lately": "zuletzt waren Sie am besten per {by} zu erreichen",
        "default": "wir beginnen mit {by}, bis wir wissen, was Sie erreicht",
    },
}
