"""The requests and responses of the campaign endpoints."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.api.models import ProductRef
from gateway.campaigns.model import Audience, AudienceCount, Check, Content, Draft, Kind, Standing, State
from gateway.registrations.model import Code


class CampaignRef(BaseModel):
    """A campaign, as another one names it."""

    id: str
    number: str
    kind: Kind
    state: State
    title: str


class ChannelProgress(BaseModel):
    """The deliveries of a campaign on one channel; `sent` is all of them."""

    channel: str
    sent: int
    delivered: int
    opened: int
    waiting: int
    unknown: int
    failed: int
    skipped: int


class Progress(BaseModel):
    """How far a campaign came, by unit: what counts is the notice to who owns the unit now.

    `notified` by email or push, or seen; `pending` units the worker has yet to look at; `channels` count deliveries.
    """

    units: int
    registered: int
    unregistered: int
    notified: int
    seen: int
    acknowledged: int
    closed: int
    pending: int
    channels: list[ChannelProgress]


class Joined(BaseModel):
    """Units that match a published campaign and are not in its frozen audience: they came, or changed, afterwards.

    They are not told: supersede the campaign to tell them. `registered` of them have an owner.
    """

    units: int
    registered: int


class CampaignLine(BaseModel):
    """A campaign in a list; people by name, titles in English."""

    id: str
    number: str
    kind: Kind
    state: State
    title: str
    product: ProductRef
    version: int
    progress: Progress | None = Field(description="Null for a draft.")
    joined: Joined | None = Field(description="Null unless it is published, in force and not a withdrawal.")
    created_by: str
    created_at: datetime
    edited_by: str
    edited_at: datetime
    approved_by: str | None
    published_at: datetime | None
    ended_at: datetime | None
    units: int | None
    supersedes: CampaignRef | None
    successor: CampaignRef | None
    may_edit: bool
    may_approve: bool
    may_not_approve_because: str | None


class Campaign(CampaignLine):
    """A campaign with what it says, whom it concerns, and, of a draft, what is missing and whom it would reach."""

    content: Content
    audience: Audience | None
    checks: list[Check]
    count: AudienceCount | None = Field(description="Null once it is published.")


class CampaignCounts(BaseModel):
    """How many campaigns of each state the other filters let through, among the newest 10,000."""

    draft: int
    published: int
    superseded: int
    withdrawn: int


class Campaigns(BaseModel):
    """A page of campaigns, the newest first."""

    campaigns: list[CampaignLine]
    next: str | None
    counts: CampaignCounts


class _RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class EditedDraft(Draft):
    """A draft as it shall be, and the version that was edited: another one's edit is not overwritten unseen."""

    version: int


class Approval(_RequestBody):
    """What a second person saw: the number of units, typed, and the version that was read."""

    units: Annotated[int, Field(ge=0)]
    version: int


class CountQuestion(_RequestBody):
    """An audience to be counted; `kind` decides whether stopped mail counts as reachable (a recall goes there too)."""

    product: Code
    audience: Audience | None
    supersedes: Annotated[str, Field(max_length=40)] | None
    kind: Kind = "recall"


class CampaignUnit(BaseModel):
    """One unit of a frozen audience, and what its present owner was told and did."""

    id: str
    serial: str
    lot: str | None
    firmware: str | None
    matched: str
    standing: Standing
    registered: bool
    told_at: datetime | None
    notified: bool
    seen: bool
    acknowledged: bool
    closed_at: datetime | None


class CampaignUnits(BaseModel):
    """A page of a frozen audience; `next` is the `after` of the next page."""

    units: list[CampaignUnit]
    next: str | None


class JoinedUnit(BaseModel):
    """One unit that matches a published campaign since its audience was frozen, and was not told."""

    id: str
    serial: str
    lot: str | None
    firmware: str | None
    matched: str
    found_at: datetime
    registered: bool


class JoinedUnits(BaseModel):
    """A page of such units; `next` is the `after` of the next page."""

    units: list[JoinedUnit]
    next: str | None


class Lot(BaseModel):
    """A lot of a product, and how many units it has."""

    lot: str
    units: int


class ProductChoice(BaseModel):
    """A product with its lots, to choose from."""

    code: str
    name: str
    model: str
    units: int
    lots: list[Lot]


class Products(BaseModel):
    """Every product."""

    products: list[ProductChoice]
