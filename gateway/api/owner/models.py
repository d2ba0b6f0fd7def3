"""What the API returns to an owner, and what it takes from them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gateway.api.models import Notice, Problem, ProductRef, Severity, Unit
from gateway.campaigns.model import Contact
from gateway.core.serial import canonical_serial
from gateway.registrations.codes import canonical_code

Connection = Literal["online", "unhealthy", "offline", "unknown"]


class RecallCheck(BaseModel):
    """A recall that may concern a unit: it matches, but came or changed after the recall was published."""

    number: str
    title: str
    contact: Contact
    published_at: datetime


class MyUnit(Unit):
    """A unit of the person: `connection` is whether it is heard in time, `since` when it became theirs.

    `checks` are recalls that may concern it; whether they do is being checked.
    """

    place: str | None
    connection: Connection
    since: datetime
    checks: list[RecallCheck]
    cadence_s: float = Field(description="How often it is expected to send, in seconds.")


class UnitLimit(BaseModel):
    """A limit of a rule that tells the owner: `side` is where a value raises it."""

    metric: str
    value: float
    side: Literal["above", "below"]
    severity: Severity


class UnitAlarm(BaseModel):
    """An alarm of the person's time with the unit; `cleared_at` is null while it is active."""

    id: str
    metric: str | None
    title: str
    severity: Severity
    onset: datetime
    cleared_at: datetime | None


class MyUnitPage(MyUnit):
    """A unit of the person with all that its page shows. `history` are its newest alarms, the newest first.

    `recall_free_at` is when it was compared with every recall in force for its product and none concerned it; null
    where one does or may concern it, or where that cannot be known.
    """

    support_until: date | None
    recall_free_at: datetime | None
    limits: list[UnitLimit]
    history: list[UnitAlarm]


class MyUnits(BaseModel):
    """A page of the person's units; `next` is the `after` of the next page."""

    units: list[MyUnit]
    next: str | None


class Delivery(BaseModel):
    """How a notice went on one channel."""

    channel: str
    status: str
    at: datetime
    reason: str


class MyNotice(Notice):
    """A notice to the person, with how it was sent, and what they did with it."""

    group_size: int | None = Field(description="How many notices the message of the group is about.")
    read_at: datetime | None
    acknowledged_at: datetime | None
    deliveries: list[Delivery]


class MyFeed(BaseModel):
    """A page of the person's notices, the newest first; `unread` counts all of them.

    `pinned` are the recalls that are not acknowledged, the oldest first, whatever the page; they stand only there.
    """

    pinned: list[MyNotice]
    notices: list[MyNotice]
    unread: int
    next: str | None


class MyEvent(BaseModel):
    """One event of the person's stream; `cursor` is its place: send it as Last-Event-ID to read on from there."""

    cursor: str
    at: datetime
    kind: str
    unit: str | None
    data: dict[str, Any]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Claim(_Taken):
    """Register a unit: what is printed on it and what came with it. Spaces, dashes and case do not count."""

    serial: Annotated[str, Field(max_length=100), AfterValidator(lambda typed: (canonical_serial(typed), typed)[1])]
    code: Annotated[
        SecretStr,
        Field(max_length=100),
        AfterValidator(lambda typed: (canonical_code(typed.get_secret_value()), typed)[1]),
    ]
    product: Annotated[str, Field(max_length=63)] | None = None


class Place(_Taken):
    """Where a unit stands, in its owner's words; null for nowhere in particular."""

    place: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")] | None


class WhichProduct(Problem):
    """Several products have this serial: ask again with one of these codes as `product`."""

    products: list[ProductRef]
