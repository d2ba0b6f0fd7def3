"""The preferred network: which channel a person is told on first, and the sentence that says why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

EMAIL = "email"
PUSH = "push"
DEFAULT_ORDER = (PUSH, EMAIL)

HALF_LIFE = timedelta(days=30)
REMEMBERED = timedelta(days=180)
"""Older than six half-lives says nothing any more."""
RECENT_MAX = 8
"""How many of the last acts the sentence counts."""
WEIGHT: Mapping[str, float] = {"acknowledged": 1.5, "opened": 1.0, "signed_in": 0.25}
LEAST_SCORE = 0.5
"""Less than this is too little to learn from: one open, or a few sign-ins, of the last month."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """Something a person did that shows where they look."""

    channel: str
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """The channels in the order they are tried, and why, as a sentence in the person's language."""

    channels: tuple[str, ...]
    reason: str


def choose(
    choice: str | None,
    engagements: Sequence[Engagement],
    available: Collection[str],
    now: datetime,
    language: str = "en",
) -> Order:
    """The person's own choice first, else what was learned, else the default; never a channel without an address."""
    words = _WORDS.get(language, _WORDS["en"])
    usable = tuple(channel for channel in DEFAULT_ORDER if channel in available)
    if not usable:
        return Order((), words["nowhere"])
    if choice in usable:
        return Order(_first(choice, usable), words["choice"].format(by=words[choice]))
    missing = words["missing"].format(by=words[choice], address=words[f"{choice} address"]) if choice else ""
    if len(usable) == 1:
        return Order(usable, missing + words["only"].format(by=words[usable[0]]))
    recent = [each for each in engagements if each.channel in usable and _age(each, now) <= REMEMBERED]
    scores = {channel: sum(_score(each, now) for each in recent if each.channel == channel) for channel in usable}
    best = max(usable, key=lambda channel: scores[channel])
    if scores[best] < LEAST_SCORE or all(score == scores[best] for score in scores.values()):
        return Order(usable, missing + words["default"].format(by=words[usable[0]]))
    return Order(_first(best, usable), missing + _learned(best, recent, words))


def _first(channel: str, usable: tuple[str, ...]) -> tuple[str, ...]:
    return (channel, *(other for other in usable if other != channel))


def _age(engagement: Engagement, now: datetime) -> timedelta:
    return max(now - engagement.at, timedelta())


def _score(engagement: Engagement, now: datetime) -> float:
    """What an act says today: half as much each 30 days."""
    return float(WEIGHT.get(engagement.kind, 0.0) * 0.5 ** (_age(engagement, now) / HALF_LIFE))


def _learned(best: str, known: Sequence[Engagement], words: Mapping[str, str]) -> str:
    """The strongest thing that was seen, counted so that the person can follow it."""
    for kind in ("opened", "acknowledged", "signed_in"):
        recent = sorted((each for each in known if each.kind == kind), key=lambda each: each.at)[-RECENT_MAX:]
        count = sum(each.channel == best for each in recent)
        if 2 * count > len(recent):
            return words[kind].format(count=count, all=len(recent), by=words[best])
    return words["lately"].format(by=words[best])


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        EMAIL: "email",
        PUSH: "push",
        "email address": "we have no address that we may write to",
        "push address": "no phone is registered",
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
        EMAIL: "E-Mail",
        PUSH: "Push",
        "email address": "wir haben keine Adresse, an die wir schreiben dürfen",
        "push address": "kein Telefon ist angemeldet",
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
