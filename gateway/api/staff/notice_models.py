"""What the API returns to the staff about notices: a list in which a campaign is one line, and one with its trail."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from gateway.api.models import LedgerLine, Notice, NoticeKind, Severity, UnitRef

StepKind = Literal[
    "told", "waiting", "claimed", "delivered", "retry", "failed", "skipped", "unknown", "opened", "acknowledged"
]


class TrailStep(BaseModel):
    """One thing that happened to a notice on a channel: `told` is of the feed, `opened` of whoever got it."""

    at: datetime
    channel: str
    step: StepKind
    reason: str


class NoticeRecord(Notice):
    """A notice with all that became of it, in the order of time."""

    person_id: str
    campaign_id: str | None
    read_at: datetime | None
    acknowledged_at: datetime | None
    trail: list[TrailStep]


class NoticeWithLedger(NoticeRecord):
    """The same, with what the stages decided."""

    ledger: list[LedgerLine]


class NoticeLine(BaseModel):
    """An alarm's notice in a list, or a campaign with all of its notices.

    `deliveries` says how the notice stands on each channel; of a campaign `notified` and `seen` count units.
    """

    id: str
    kind: NoticeKind
    state: Literal["open", "resolved", "withdrawn"]
    severity: Severity | None
    title: str
    number: str | None = Field(description="Of a campaign.")
    unit: UnitRef | None
    person: str | None
    count: int
    created_at: datetime
    updated_at: datetime
    held_until: datetime | None
    deliveries: dict[str, str]
    units: int | None
    notified: int | None
    seen: int | None


class NoticeCount(BaseModel):
    """How many; with `more`, at least so many."""

    count: int
    more: bool


class NoticeCounts(BaseModel):
    """How many the filters let through: alarms' notices that are open, those that are over, and campaigns."""

    open: NoticeCount
    over: NoticeCount
    campaigns: NoticeCount


class Notices(BaseModel):
    """A page of notices, the urgent first: open ones of alarms, campaigns, and what is over."""

    notices: list[NoticeLine]
    next: str | None
    counts: NoticeCounts
