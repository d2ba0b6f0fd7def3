"""What the API returns: pydantic models, from which the OpenAPI document is made."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from gateway.campaigns.model import CampaignPart

Severity = Literal["info", "warning", "critical", "safety"]
UnitState = Literal["recalled", "critical", "checking", "warning", "update", "info", "fine", "unknown"]
NoticeKind = Literal["alarm", "recall", "update", "withdrawal"]


class Brand(BaseModel):
    """The maker's name, and how to reach it."""

    name: str
    phone: str | None
    email: str | None
    url: str | None
    imprint_url: str | None
    privacy_url: str | None


class Language(BaseModel):
    """A language of the pages, mails and pushes."""

    code: str
    name: str = Field(description="As it calls itself.")
    locale: str = Field(description="By which its numbers and dates are written, like en-GB.")
    app: str = Field(description="Where the words of My Products are, a Fluent file.")
    console: str = Field(description="Where those of the console are.")


class ProductRef(BaseModel):
    """A product, as a unit names it."""

    code: str
    name: str
    model: str


class ClaimHint(BaseModel):
    """Where the serial and the claim code of a product stand, in the maker's words."""

    product: ProductRef
    serial: str | None
    code: str | None


class ReadingNow(BaseModel):
    """The newest reading of one metric; null where none has come."""

    metric: str
    title: str
    unit: str
    value: float | None
    at: datetime | None
    normal: tuple[float, float] | None


class ActiveAlarm(BaseModel):
    """An alarm that is active on a unit."""

    title: str
    severity: Severity
    onset: datetime


class Unit(BaseModel):
    """A unit with its newest readings; `state` is its worst active alarm, and unknown until something was heard.

    It is `recalled` as long as a recall of it is in force, also an acknowledged one: it is not remedied.
    It is `checking` while it matches a recall that was published before the unit came, or changed.
    """

    id: str
    serial: str
    product: ProductRef
    lot: str | None
    firmware: str | None
    owner: str | None
    last_seen: datetime | None
    state: UnitState
    alarms: list[ActiveAlarm]
    readings: list[ReadingNow]


class SuspendedProduct(BaseModel):
    """A product whose readings are stored and not judged for now, and why."""

    product: str
    since: datetime
    reason: str


class Readings(BaseModel):
    """One metric of one unit, oldest first, as [milliseconds since 1970, value].

    A point is a reading, or the mean of the hour or UTC day that begins then; `bands` has the lowest and the highest of
    each, and is empty for readings.
    """

    metric: str
    unit: str
    step: Literal["reading", "hour", "day"]
    points: list[tuple[int, float]]
    bands: list[tuple[float, float]]


class StoredReadings(BaseModel):
    """A page of a unit's readings, as [metric, microseconds since 1970, value, received (microseconds), late]."""

    readings: list[tuple[str, int, float, int, bool]]
    next: str | None


class ConflictingReadings(BaseModel):
    """Readings that said otherwise than what stands, as [metric, microseconds since 1970, value, received].

    Not all are kept: `ever` counts them, and one that comes again counts again.
    """

    readings: list[tuple[str, int, float, int]]
    ever: int


class Message(BaseModel):
    """A message of a unit; `payload` is its beginning as text, `reason` why it, or some of it, was refused.

    `ignored` names fields that the gateway does not know; `conflicting` counts readings whose time has another value.
    """

    number: int
    received_at: datetime
    topic: str
    payload: str
    size: int
    reason: str | None
    detail: str | None
    ignored: list[str]
    conflicting: int


class Messages(BaseModel):
    """The last messages of a unit, the newest first; at most twenty are kept."""

    messages: list[Message]


class Why(BaseModel):
    """Why somebody got a notice: the rule as a sentence, the values and the span that raised it."""

    rule: str
    version: int
    sentence: str
    plain: str | None = None
    metric: str
    title: str
    value: float | None = Field(description="Null where it was measured before the unit was this person's.")
    extreme: float | None
    unit: str
    limit: float
    onset: datetime
    raised_at: datetime
    cleared_at: datetime | None
    cleared_value: float | None
    cleared_reason: str | None = None
    told_because: str
    sent_because: str | None = None


class UnitRef(BaseModel):
    """A unit, as a notice names it."""

    id: str
    serial: str
    product: str
    model: str


class CampaignTold(CampaignPart):
    """The same, with its instructions as lists."""

    steps: list[str] = Field(description="`action_text` step by step, without what `action` says.")
    changes_listed: list[str] = Field(description="`changes` one by one.")


class Notice(BaseModel):
    """One message to one person about one unit: of an alarm, with its `why`, or of a `campaign`.

    `withdrawn`: the campaign was replaced or withdrawn.
    """

    id: str
    number: str = Field(description="By which people name it, like N-1042.")
    kind: NoticeKind
    severity: Severity
    state: Literal["open", "resolved", "withdrawn"]
    title: str
    body: str
    action: str
    count: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    person: str
    unit: UnitRef
    why: Why | None
    campaign: CampaignTold | None
    held_until: datetime | None
    hold_reason: str | None
    group: str | None = Field(description="The same for notices about several units that are one message.")


class Feed(BaseModel):
    """A page of notices, the newest first; `next` is the `before` of the next page."""

    notices: list[Notice]
    next: str | None


class Event(BaseModel):
    """One event of the log; `cursor` is its place: read on from there with `after`."""

    cursor: str
    at: datetime
    kind: str
    actor: str
    unit: str | None
    person: str | None
    data: dict[str, Any]


class Events(BaseModel):
    """Events in their order, which never changes; `next` is where to read on, also when nothing more is there yet."""

    events: list[Event]
    next: str


class StaffDelivery(BaseModel):
    """A notice on a channel, and how it ended."""

    id: str
    notice: str
    channel: str
    status: Literal["waiting", "claimed", "delivered", "failed", "skipped", "unknown"]
    reason: str
    recorded_at: datetime
    due_at: datetime
    finished_at: datetime | None
    attempts: int


class Deliveries(BaseModel):
    """A page of deliveries, the newest first."""

    deliveries: list[StaffDelivery]
    next: str | None


class Step(BaseModel):
    """What one stage answered."""

    stage: str
    outcome: Literal["pass", "hold", "drop"]
    reason: str
    until: datetime | None = None


class LedgerLine(BaseModel):
    """What the stages answered to an alarm, or to a unit of a campaign: why somebody was told, or why nobody was."""

    id: str
    at: datetime
    alarm: str | None
    campaign: str | None
    unit: str
    person: str | None
    notice: str | None
    outcome: Literal["pass", "hold", "drop"]
    reason: str
    steps: list[Step]


class Ledger(BaseModel):
    """A page of the ledger, the newest first."""

    lines: list[LedgerLine]
    next: str | None


class Stage(BaseModel):
    """One stage of the road from a reading, or from a draft, to a notice."""

    name: str
    sentence: str


class Ready(BaseModel):
    """Whether the installation works; `silent` are the roles that gave no sign of life.

    `waiting_for` says of each role that does not do its work what it waits for; of `events`, why nobody can read them.
    `suspended` are the codes of products whose readings are stored and not judged for now; the others are, so the
    installation is ready.
    """

    ready: bool
    silent: list[str]
    waiting_for: dict[str, str]
    suspended: list[str]


class Problem(BaseModel):
    """An error by RFC 9457; `problems` names the fields. `code` and `parameters` say it in any language."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    problems: list[str] = Field(default_factory=list)
    parameters: dict[str, str | int] = Field(default_factory=dict)
