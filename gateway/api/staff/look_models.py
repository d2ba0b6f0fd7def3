"""What the API returns about looks of the staff at records."""

from datetime import datetime

from pydantic import BaseModel, Field

from gateway.support.audit import Page


class PersonRef(BaseModel):
    """A person, as a line names them."""

    id: str
    name: str


class SerialRef(BaseModel):
    """A unit, as a line names it."""

    id: str
    serial: str


class Look(BaseModel):
    """Somebody of the staff looked at the record of a unit or a person, or at My Products as a person sees it."""

    id: str
    at: datetime
    page: Page
    staff: PersonRef
    unit: SerialRef | None
    person: PersonRef | None


class LookCounts(BaseModel):
    """All looks that the filters let through, counted up to 10,000."""

    looks: int
    more: bool = Field(description="There are more than were counted.")


class Looks(BaseModel):
    """A page of looks, the newest first."""

    looks: list[Look]
    next: str | None
    counts: LookCounts
