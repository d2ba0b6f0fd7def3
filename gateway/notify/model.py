"""What the stages decide upon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.core.documents import DocumentKind
from gateway.core.outcome import Outcome
from gateway.registrations.model import Owner
from gateway.rules.document import RuleDocument

NOTICE = DocumentKind(
    "notice",
    sql_paths=(
        "why.onset", "why.value", "why.extreme", "why.cleared_at", "why.cleared_value", "why.cleared_reason",
        "why.sent_because", "why.replaced_by",
    ),
)  # fmt: skip
"""A row's text and why, as {"text": …, "why": …}; of an alarm or of a campaign."""

LEDGER = DocumentKind("ledger line")
"""The stages' answers in order, a list."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm with what a notice tells of it."""

    id: int
    unit_id: int
    severity: str
    onset: datetime
    raised_at: datetime
    judged_at: datetime
    """When the gateway said so."""
    historic: bool
    evidence: dict[str, Any]
    cleared_at: datetime | None
    clearing: dict[str, Any] | None
    rule: RuleDocument
    version: int
    serial: str
    product_name: dict[str, str]
    metric_title: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What a campaign has to tell about one unit; texts and details by language."""

    campaign_id: int
    campaign: str
    """Its public id."""
    number: str
    kind: str
    """Of the notice: recall, update or withdrawal."""
    unit_id: int
    severity: str
    texts: Mapping[str, dict[str, str]]
    details: Mapping[str, dict[str, Any]]
    matched: str
    takes_back: str | None = None
    """The number of what does not concern this unit any more; only who was told of that is told of this."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The last notice of the same rule, or campaign, and unit to the same person in their time of owning it."""

    id: int
    public_id: str
    severity: str
    state: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits that the stages keep."""

    merge_window: timedelta
    notices_per_hour: int
    channels: tuple[str, ...] = ()
    """The external channels that are set up here."""
    follow_up_after: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a stage may look at; stages are pure."""

    subject: Alarm | Bulletin
    owner: Owner | None
    earlier: Earlier | None
    told_within_hour: tuple[datetime, ...]
    """When this person was, or will be, told something in the hour before now; the earliest first."""
    now: datetime
    policy: Policy
    told_of_former: bool = False
    """Whether the owner was told of what a bulletin takes back."""
    trace: str | None = None
    """What the log lines of its road carry."""


Decide = Callable[[Facts], Outcome]


@dataclass(frozen=True, slots=True)
class Stage:
    """A named step of a road, in one sentence; `decide` where it is a decision on a notice."""

    name: str
    sentence: str
    decide: Decide | None = None


EXTERNAL = ("email", "push")
DELIVERY_CHANNELS = ("feed", *EXTERNAL)
FOLLOWED = ("warning", "critical", "safety")
"""Severities worth a second channel when the first was not confirmed in time."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one message goes: an e-mail address, or one phone's token (`key` is its row)."""

    value: str
    kind: str = "email"
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice for one person on one channel, claimed by this worker."""

    id: int
    notice_id: int
    notice: str
    channel: str
    person_id: int
    person: str
    unit_id: int
    kind: str
    campaign: str | None
    severity: str
    text: dict[str, str]
    why: dict[str, Any]
    language: str
    serial: str
    product: str
    model: str
    attempt: int
    claimed_at: datetime
    again: bool
    """Whether an earlier try may have reached the person: only safety is sent again, and says so."""
    follows: str | None
    """The channel that it comes after, because nobody opened it there in time."""
    trace: str | None = None
    """What the log lines of its road carry."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The provider confirmed that it took the message."""

    reason: str
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """It was surely not taken, and may be later; `after` is the provider's own wish."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """It was refused for good; `retire_address` when the address is dead."""

    reason: str
    retire_address: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may have taken it, and did not say so."""

    reason: str


Answer = Delivered | Retry | Failed | Unknown
