"""The values that the stages decide on, deliveries, and the answers of providers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.core.documents import DocumentKind
from gateway.core.outcome import Outcome
from gateway.core.reason import Reason
from gateway.registrations.model import Owner
from gateway.rules.document import RuleDocument

NOTICE = DocumentKind(
    "notice",
    schema=2,
    # Since schema 2 the text of a campaign's notice is null, and its why holds only what is of this person and unit.
    # One of schema 1 has all of it in the row, and stays complete.
    upgrades={1: lambda document: document},
    sql_paths=(
        "why.onset", "why.value", "why.extreme", "why.cleared_at", "why.cleared_value", "why.cleared_reason",
        "why.sent_because", "why.replaced_by",
    ),
)  # fmt: skip
"""A row's text and why, as {"text": …, "why": …}; of an alarm or of a campaign."""

CAMPAIGN_TEXT = DocumentKind("campaign text")
"""What the notices of a campaign say in a language, as {"text": …, "details": …}."""

LEDGER = DocumentKind("ledger line")
"""The outcomes of the stages in order, a list."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm with the data of its notice."""

    id: int
    unit_id: int
    severity: str
    onset: datetime
    raised_at: datetime
    judged_at: datetime
    """When the gateway judged the readings that raised it."""
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
    """The message of a campaign about one unit; what it says is stored with the campaign."""

    campaign_id: int
    campaign: str
    """The campaign's public id."""
    number: str
    kind: str
    """The kind of the notice: recall, update or withdrawal."""
    unit_id: int
    severity: str
    matched: str
    takes_back: str | None = None
    """The number of the campaign that does not concern this unit any more; only owners who were told of it get this."""


@dataclass(frozen=True, slots=True)
class EarlierNotice:
    """The last notice of the same rule or campaign, and unit, to its present owner since they own it."""

    id: int
    public_id: str
    severity: str
    state: str
    updated_at: datetime
    text: dict[str, str] | None = None
    """What it says; of an alarm."""
    skip_reason: str | None = None
    """Why nobody was told of it."""
    recent_alarms: int = 0
    """How many alarms of the last hour it has."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of the stages."""

    merge_window: timedelta
    notices_per_hour: int
    channels: tuple[str, ...] = ()
    """The channels outside the feed that are set up here."""
    follow_up_after: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a stage decides on; stages are pure functions."""

    subject: Alarm | Bulletin
    owner: Owner | None
    earlier: EarlierNotice | None
    recent_notice_times: tuple[datetime, ...]
    """When notices to this person were, or will be, due since an hour before now; the earliest first."""
    now: datetime
    policy: Policy
    told_of_former: bool = False
    """Whether the owner was told of the campaign that a bulletin takes back."""
    trace: str | None = None
    """The trace of its log lines, if it has one."""


Decide = Callable[[Sequence[Facts]], list[Outcome]]
"""Decides on a set: returns an outcome for each, and counts in what it decided on those before."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A named step of the processing, described in one sentence; `decide` is set where it decides on a notice."""

    name: str
    sentence: str
    decide: Decide | None = None


Steps = tuple[tuple[str, Outcome], ...]
"""The stages that were asked, and their outcomes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the stages decided on one row of a set."""

    facts: Facts
    outcome: Outcome
    steps: Steps


FOLLOWED_SEVERITIES = ("warning", "critical", "safety")
"""Severities that go out on a second channel when the first message was not opened in time."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one message goes on a channel; `key` is its row, where a person may have several."""

    value: str
    kind: str = ""
    """What the value is, where the channel knows several kinds."""
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
    time_zone: str | None
    """The zone that the person chose."""
    serial: str
    product: str
    model: str
    attempt: int
    claimed_at: datetime
    again: bool
    """Whether an earlier try may have reached the person; only safety is sent again then, with a text that says so."""
    follows: str | None
    """The earlier channel, on which nobody opened the notice in time."""
    trace: str | None = None
    """The trace of its log lines, if it has one."""
    serials: tuple[str, ...] = ()
    """The units of a message about many."""
    apart: str | None = None
    """What tells the unit from the person's others of its product: its place, else its serial."""
    renewed_at: datetime | None = None
    """When it began anew, because the alarm came back after an all-clear."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The provider confirmed that it took the message."""

    reason: Reason
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The provider did not take the message, and may later; `after` is the wait that it asks for, if any."""

    reason: Reason
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider refused the message for good; `retire_address` is true when the address does not exist any more."""

    reason: Reason
    retire_address: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may have taken the message, but did not confirm it."""

    reason: Reason


Answer = Delivered | Retry | Failed | Unknown
