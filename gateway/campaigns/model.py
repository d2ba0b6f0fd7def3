"""The content and the audience of a campaign. Drafts may be unfinished: checks.py says what is missing."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.core.documents import DocumentKind
from gateway.registrations.model import Code

Kind = Literal["recall", "update", "withdrawal"]
State = Literal["draft", "published", "superseded", "withdrawn"]
Standing = Literal["affected", "cleared"]
Action = Literal["stop_using", "unplug", "keep_using_until_replaced"]
Remedy = Literal["repair", "replacement", "refund"]

CAMPAIGN = DocumentKind(
    "campaign",
    schema=2,
    upgrades={1: lambda document: document},  # since schema 2 a language may name its country, like pt-BR
    sql_paths=("content.title", "audience.by", "audience.lots", "audience.below"),
)
"""A row's content and audience, as {"content": …, "audience": …}."""

AUDIENCE_LIST_MAX = 50_000
"""The most serials or lots in one audience."""


def _without_blanks(texts: dict[str, str]) -> dict[str, str]:
    return {language: text for language, text in texts.items() if text}


Line = Annotated[str, Field(max_length=200)]
Texts = Annotated[
    dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")], Annotated[str, Field(max_length=4_000)]],
    AfterValidator(_without_blanks),
]
"""Language code to text; a language whose text is empty is left out."""
Listed = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=AUDIENCE_LIST_MAX)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Contact(_Document):
    """Whom an owner asks; at least one of them before it is published."""

    phone: Line | None
    email: Line | None
    url: Line | None


class RecallContent(_Document):
    """What a recall says. `action` is chosen from a list; its text gives the reason."""

    kind: Literal["recall"]
    title: Texts
    hazard: Texts
    action: Action | None
    action_text: Texts
    remedies: list[Remedy]
    remedy_text: Texts
    contact: Contact


class UpdateContent(_Document):
    """What an update says; the version is the one that its audience is below."""

    kind: Literal["update"]
    title: Texts
    changes: Texts
    action_text: Texts
    contact: Contact


class WithdrawalContent(_Document):
    """Why a campaign is taken back."""

    kind: Literal["withdrawal"]
    title: Texts
    reason: Texts
    contact: Contact


Content = Annotated[RecallContent | UpdateContent | WithdrawalContent, Field(discriminator="kind")]


class ByLots(_Document):
    """Every unit of these lots."""

    by: Literal["lots"]
    lots: Listed


class BySerials(_Document):
    """The units with these serials, as typed; spaces, dashes and case do not count."""

    by: Literal["serials"]
    serials: Listed


class ByFirmware(_Document):
    """Every unit whose firmware is known and below a version of dotted numbers."""

    by: Literal["firmware"]
    below: Annotated[str, Field(max_length=40)]


Audience = Annotated[ByLots | BySerials | ByFirmware, Field(discriminator="by")]


class Draft(_Document):
    """A campaign as it is written; a withdrawal has no audience: it goes to that of what it `supersedes`."""

    product: Code
    content: Content
    audience: Audience | None
    supersedes: str | None = Field(max_length=40, description="The campaign that this one replaces or takes back.")


class AudienceCount(BaseModel):
    """Whom an audience reaches now. `people` own `registered` units; the ways to reach them are counted by unit.

    `cleared` units were in the audience of what is superseded and are not in this one.
    """

    units: int
    registered: int
    people: int
    by_email: int
    by_push: int
    feed_only: int
    unregistered: int
    cleared: int
    unknown_serials: list[str] = Field(description="Serials of the list that are not here, 20 at most.")
    unknown_lots: list[str] = Field(description="Lots of the list that no unit has, 20 at most.")
    unknown_firmware: int = Field(description="Units of the product whose firmware is not known.")
    languages: dict[str, int] = Field(description="How many of the people read each language.")
    channels: list[str] = Field(description="The channels outside the feed that are set up here; no other one counts.")


class Check(BaseModel):
    """Something that is missing or wrong in a draft, and whether it holds up publishing."""

    field: str
    message: str
    blocks: bool


class CampaignPart(BaseModel):
    """What a notice tells of its campaign, in the owner's language. `replaces` and `replaced_by` are numbers."""

    number: str
    hazard: str | None = None
    action: Action | None = None
    action_text: str | None = None
    remedies: list[Remedy] = []
    remedy_text: str | None = None
    contact: Contact | None = None
    changes: str | None = None
    version: str | None = None
    reason: str | None = None
    matched: str
    published_at: datetime
    replaces: str | None = None
    replaced_by: str | None = None
    told_because: str
    sent_because: str | None = None


def texts_of(content: Content) -> dict[str, dict[str, str]]:
    """Returns the texts of a content by field, in the order in which owners read them."""
    fields: dict[str, Any] = dict(content)
    return {
        name: fields[name]
        for name in ("title", "hazard", "reason", "changes", "action_text", "remedy_text")
        if name in fields
    }
