"""What the API returns to the staff about units."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from gateway.api.models import NoticeKind, Severity, SuspendedProduct, Unit
from gateway.readings.connection import Connectedness
from gateway.support.units.lists import State


class UnitLine(Unit):
    """A unit in the list; `connection` is whether it is heard in time."""

    connection: Connectedness


class Count(BaseModel):
    """How many there are; `more`: at least."""

    number: int
    more: bool


class UnitCounts(BaseModel):
    """Counts over all units that the filters let through; by state, whatever state is chosen.

    They are exact where 2,000 units match or fewer; else `more` says that it is at least so many.
    """

    units: Count
    states: dict[State, Count]


class Units(BaseModel):
    """A page of units; `next` is the `after` of the next page. `suspended` are the products that nobody judges.

    A page looks at 2,000 units at most: it may be short, and the next one goes on.
    """

    units: list[UnitLine]
    next: str | None
    counts: UnitCounts
    suspended: list[SuspendedProduct]


class RecordOwner(BaseModel):
    """Who owned a unit from when until when; null: it is theirs."""

    id: str
    name: str
    email: str
    phone: str | None
    language: str
    customer_number: str | None
    place: str | None
    how: Literal["import", "claim"]
    since: datetime
    until: datetime | None
    is_present: bool


class FirmwareChange(BaseModel):
    """A change of a unit's firmware, as its device reported it, or the maker's files said."""

    at: datetime
    firmware: str | None
    before: str | None
    reported: bool


class RecordAlarm(BaseModel):
    """An alarm of a unit; `historic` ones were told to nobody."""

    id: str
    title: str
    metric: str
    severity: Severity
    rule: str
    version: int
    onset: datetime
    raised_at: datetime
    cleared_at: datetime | None
    historic: bool


class RecordDelivery(BaseModel):
    """A notice on a channel."""

    channel: str
    status: Literal["waiting", "claimed", "delivered", "failed", "skipped", "unknown"]
    at: datetime
    reason: str


class RecordOpened(BaseModel):
    """Where and when a notice was opened first."""

    channel: str
    at: datetime


class RecordNotice(BaseModel):
    """A notice about a unit, and what became of it."""

    id: str
    kind: NoticeKind
    severity: Severity
    state: Literal["open", "resolved", "withdrawn"]
    title: str
    campaign: str | None
    person: str
    person_id: str
    created_at: datetime
    resolved_at: datetime | None
    held_until: datetime | None
    held_because: str | None
    untold_because: str | None = Field(description="Why it is only in the feed of the ledger, and was told to nobody.")
    read_at: datetime | None
    acknowledged_at: datetime | None
    deliveries: list[RecordDelivery]
    opened: list[RecordOpened]


class RecordCampaign(BaseModel):
    """A campaign as it concerns a unit, and what its present owner was told of it.

    `checking`: the unit matches since it was published, and nobody was told. `none`: it does not concern the unit.
    """

    id: str
    number: str
    kind: Literal["recall", "update", "withdrawal"]
    state: Literal["draft", "published", "superseded", "withdrawn"]
    title: str
    action: str | None = Field(description="What the owner is told to do.")
    published_at: datetime | None
    standing: Literal["affected", "cleared", "checking", "none"]
    matched: str | None
    told_at: datetime | None
    seen_at: datetime | None
    acknowledged_at: datetime | None
    closed_at: datetime | None


class ChartLimit(BaseModel):
    """A limit of a rule that is in force, for the chart of a metric."""

    metric: str
    value: float
    label: str


class UnitRecord(BaseModel):
    """All that is known of a unit; its lists have bounds, and the lists of the console have the rest."""

    unit: UnitLine
    made_on: date | None
    hardware: str | None
    region: str | None
    sold_on: date | None
    support_until: date | None
    order_number: str | None
    is_test: bool
    firmware_reported_at: datetime | None
    suspended: SuspendedProduct | None
    owners: list[RecordOwner]
    firmware_changes: list[FirmwareChange]
    alarms: list[RecordAlarm]
    notices: list[RecordNotice]
    campaigns: list[RecordCampaign]
    limits: list[ChartLimit]
