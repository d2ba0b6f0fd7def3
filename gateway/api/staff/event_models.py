"""The requests and responses about events that could not be handled."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Place = Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")]


class DeadLetter(BaseModel):
    """An event that could not be handled and is tried again; `cursor` is its place in the event log."""

    cursor: str
    kind: str | None = Field(description="None where the log keeps the event no longer.")
    at: datetime = Field(description="When the event happened.")
    unit: str | None
    person: str | None
    attempts: int
    error: str = Field(description="Of the last attempt.")
    first_failed_at: datetime
    last_failed_at: datetime
    next_try_at: datetime


class DeadLetters(BaseModel):
    """A page of them, the newest event first."""

    events: list[DeadLetter]
    next: str | None


class FailureToTell(BaseModel):
    """What could not be told to an owner, by an error of ours, and is tried again."""

    kind: Literal["campaign", "unit", "alarm"] = Field(description="A whole campaign, a unit of one, or an alarm.")
    campaign: str | None = Field(description="Its number.")
    unit: str | None
    alarm: str | None
    tries: int
    next_try_at: datetime


class FailuresToTell(BaseModel):
    """The first of them, the next try first."""

    failures: list[FailureToTell]


class DeadLetterChoice(BaseModel):
    """Which of them: by their cursors, or all."""

    model_config = ConfigDict(extra="forbid")

    cursors: list[_Place] | None = Field(None, min_length=1, max_length=1_000, description="None is all there are.")


class DeadLettersAsked(BaseModel):
    """How many are tried again at once."""

    asked: int
