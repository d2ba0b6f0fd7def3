"""What the API returns about alarms and the work on them, and what it takes from who works."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gateway.alarms.acts import TEXT_MAX, ActKind, Standing, Verdict
from gateway.api.models import LedgerLine, Severity
from gateway.api.staff.notice_models import NoticeRecord

KEY_MAX = 40
_VALUED: tuple[ActKind, ...] = ("assign", "verdict")


class StaffMember(BaseModel):
    """Somebody of the staff; `id` is that of the account."""

    id: str
    name: str


class AlarmLine(BaseModel):
    """An alarm in a list: what a rule found on a unit, and how far the staff are with it.

    `revision` is one more with each change; an act names the one that was seen.
    """

    id: str
    unit: str
    serial: str
    product: str
    product_name: str
    model: str
    severity: Severity
    rule: str
    version: int
    title: str
    onset: datetime
    raised_at: datetime
    judged_at: datetime
    historic: bool
    evidence: dict[str, Any]
    cleared_at: datetime | None
    clearing: dict[str, Any] | None
    standing: Standing
    revision: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(description="By name; null also where it was closed before acts were kept.")
    assignee: StaffMember | None
    verdict: Verdict | None
    resolved_at: datetime | None


class AlarmCount(BaseModel):
    """How many; with `more`, at least so many."""

    count: int
    more: bool


class StandingCounts(BaseModel):
    """How many alarms of each standing the other filters let through."""

    active: AlarmCount
    acknowledged: AlarmCount
    cleared: AlarmCount
    closed: AlarmCount


class Alarms(BaseModel):
    """A page of alarms. With a filter, a page may have few rows, or none, and yet a `next` one."""

    alarms: list[AlarmLine]
    next: str | None
    counts: StandingCounts


class ProductName(BaseModel):
    """A product, to choose from."""

    code: str
    name: str
    model: str


class AlarmChoices(BaseModel):
    """What alarms are chosen by: products, and the staff to whom they may be assigned."""

    products: list[ProductName]
    staff: list[StaffMember]


class Owner(BaseModel):
    """Who owns the unit now."""

    id: str
    name: str
    email: str | None
    phone: str | None
    language: str


class DoneAct(BaseModel):
    """What somebody did about an alarm; of an assignment `assignee` is whom it names, null: it was given back."""

    id: str
    at: datetime
    by: str
    act: ActKind
    verdict: Verdict | None
    assignee: str | None
    text: str | None


class AlarmRecord(AlarmLine):
    """One alarm with all that is known about it."""

    lot: str | None
    firmware: str | None
    sentence: str
    plain: str = Field(description="The rule as its owner reads it, in the language of who asks.")
    metric: str
    metric_title: str
    measure: str
    limit: float
    normal: tuple[float, float] | None
    latest_at: datetime | None
    latest_value: float | None
    owner: Owner | None
    acts: list[DoneAct]
    ledger: list[LedgerLine] = Field(description="Why somebody was told, or why nobody was.")
    notices: list[NoticeRecord]


Key = Annotated[str, StringConstraints(min_length=8, max_length=KEY_MAX, pattern="^[A-Za-z0-9-]+$")]
Written = Annotated[str, StringConstraints(strip_whitespace=True, max_length=TEXT_MAX)]


class NewAct(BaseModel):
    """An act on an alarm. `value` is the verdict, or the id of the account it is assigned to; null takes it back.

    `revision` is the one that was seen; only a comment needs none. An act with a `key` that was used is done already.
    """

    model_config = ConfigDict(extra="forbid")

    act: ActKind
    key: Key
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    value: Annotated[str, StringConstraints(max_length=KEY_MAX)] | None = None
    text: Written | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.act != "comment" and self.revision is None:
            raise ValueError("say which revision of the alarm you saw")
        if self.value is not None and self.act not in _VALUED:
            raise ValueError("only a verdict and an assignment have a value")
        return self


Assigned = Literal["me", "nobody"]
Historic = Literal["yes", "no"]
Sort = Literal["urgent", "newest"]
