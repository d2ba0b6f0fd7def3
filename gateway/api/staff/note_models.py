"""Notes and calls over HTTP: what is returned, and what is taken from who writes one."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gateway.api.staff.look_models import PersonRef, SerialRef
from gateway.support.notes import TEXT_MAX, Direction, Kind

Id = Annotated[str, Field(min_length=1, max_length=60)]


class Note(BaseModel):
    """A note or a call in the record of a unit, a person or both. It stays as it was written."""

    id: str
    kind: Kind
    text: str
    direction: Direction | None = Field(description="Of a call: `in` came from the customer.")
    minutes: int | None = Field(description="How long a call took.")
    happened_at: datetime
    written_at: datetime
    staff: PersonRef
    unit: SerialRef | None
    person: PersonRef | None


class NoteCounts(BaseModel):
    """All notes of the record."""

    notes: int


class Notes(BaseModel):
    """A page of notes, the newest first."""

    notes: list[Note]
    next: str | None
    counts: NoteCounts


class NewNote(BaseModel):
    """A note or a call on a unit, a person or both.

    `draft` is the page's own name for it: sent again under the same name, it is stored once.
    """

    model_config = ConfigDict(extra="forbid")

    unit: Id | None = None
    person: Id | None = None
    kind: Kind
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TEXT_MAX)]
    draft: Annotated[str, Field(min_length=8, max_length=60)]
    direction: Direction | None = None
    minutes: Annotated[int, Field(ge=0, le=1440)] | None = None
    happened_at: AwareDatetime | None = Field(None, description="Null is now.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.unit is None and self.person is None:
            raise ValueError("name a unit, a person or both")
        if self.kind == "note" and (self.direction or self.minutes is not None):
            raise ValueError("direction and minutes are of a call")
        return self
