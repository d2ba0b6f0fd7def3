"""What the API returns about people to the staff."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from gateway.accounts.model import Role
from gateway.api.models import Notice, ProductRef, UnitState
from gateway.api.owner.models import Connection, MyFeed, MyUnits


class PersonLine(BaseModel):
    """A person in the list. `recalls` are those that they did not acknowledge."""

    id: str
    name: str
    email: str
    phone: str | None
    customer_number: str | None
    language: str
    country: str | None
    has_account: bool
    units: int
    recalls: int


class PeopleCounts(BaseModel):
    """All people that the filters let through, counted up to 10,000."""

    people: int
    more: bool = Field(description="There are more than were counted.")


class People(BaseModel):
    """A page of people, those who came last first."""

    people: list[PersonLine]
    next: str | None
    counts: PeopleCounts


class AccountOfPerson(BaseModel):
    """The account of a person. `confirmed_at` is when a code proved their address."""

    role: Role
    joined_at: datetime
    confirmed_at: datetime | None
    disabled_at: datetime | None


class SessionOfPerson(BaseModel):
    """A browser that is signed in: since when, and when it was last used."""

    since: datetime
    seen_at: datetime


class SignIns(BaseModel):
    """Where a person is signed in, and how many browsers they signed in from; the last one is `last_at`."""

    sessions: list[SessionOfPerson]
    browsers: int
    last_at: datetime | None


class Network(BaseModel):
    """On which channels a person is told, in this order, and why; `chosen` is their own choice.

    `mail_stopped_because` is why notices do not go by mail; null where they do.
    """

    order: list[str]
    chosen: str | None
    reason: str = Field(description="As its person reads it.")
    because: str = Field(description="The code of the reason.")
    count: int | None = Field(description="So many of the last `all` acts were on the first channel.")
    all: int | None
    mail_stopped_because: str | None


class Phones(BaseModel):
    """How many phones are registered for pushes, and when a push was last opened or a phone added."""

    registered: int
    last_used_at: datetime | None


class UnitOfPerson(BaseModel):
    """A unit that is a person's now."""

    id: str
    serial: str
    product: ProductRef
    place: str | None
    state: UnitState
    alarms: list[str] = Field(description="The titles of its active alarms.")
    connection: Connection
    last_seen: datetime | None
    since: datetime


class Trail(BaseModel):
    """How a notice went on one channel: `at` is when it ended, or is due."""

    channel: str
    status: Literal["waiting", "claimed", "delivered", "failed", "skipped", "unknown"]
    at: datetime | None
    reason: str
    opened_at: datetime | None


class NoticeOfPerson(Notice):
    """A notice to a person with how it went, and what they did with it."""

    read_at: datetime | None
    acknowledged_at: datetime | None
    deliveries: list[Trail]


class PersonCounts(BaseModel):
    """How much a person has, counted up to 10,000; 10,001 is more."""

    units: int
    notices: int


class Person(BaseModel):
    """The record of a person: `units` the worst first, `notices` the newest ones."""

    id: str
    name: str
    email: str
    phone: str | None
    address: str | None
    country: str | None
    customer_number: str | None
    contract_level: str | None
    language: str
    time_zone: str
    account: AccountOfPerson | None = Field(description="Null for who is only in the maker's files.")
    network: Network
    phones: Phones
    sign_ins: SignIns
    units: list[UnitOfPerson]
    notices: list[NoticeOfPerson]
    counts: PersonCounts


class SeenProducts(BaseModel):
    """My Products as a person sees it, in their language."""

    name: str
    language: str
    units: MyUnits
    feed: MyFeed
