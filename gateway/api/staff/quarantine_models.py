"""What the API returns about the quarantine, and what it takes from who has messages tried again or purged."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Quarantined(BaseModel):
    """A message that could not be taken whole; `payload` is its beginning as text, `whole` if that is all of it.

    `retry_at` is when somebody asked for another try that ingest did not come to yet.
    """

    id: str
    received_at: datetime
    topic: str
    reason: str
    detail: str
    payload: str
    size: int
    whole: bool
    retry_at: datetime | None


class Quarantine(BaseModel):
    """A page of quarantined messages, the newest first."""

    messages: list[Quarantined]
    next: str | None


class QuarantineCount(BaseModel):
    """Messages of one reason: ever refused on arrival, here now, and gone for want of room.

    `last_at` is when one was last refused on arrival; null where that is not known.
    """

    reason: str
    messages: int
    here: int
    trimmed: int
    last_at: datetime | None


class QuarantineCounts(BaseModel):
    """Every reason that ever came up."""

    reasons: list[QuarantineCount]


class QuarantineChoice(BaseModel):
    """Which messages: these numbers, or all of one reason; with both, those of these numbers that have the reason."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Annotated[str, Field(pattern="^[0-9]{1,18}$")]], Field(min_length=1, max_length=500)] | None = (
        None
    )
    reason: str | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.ids is None and self.reason is None:
            raise ValueError("say which: ids, or a reason")
        return self


class RetryAsked(BaseModel):
    """How many messages ingest tries again, and how many cannot be: they were not kept whole."""

    asked: int
    cut: int


class Purged(BaseModel):
    """How many messages are gone for good."""

    purged: int
