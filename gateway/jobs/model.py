"""A job as it is kept, and what a kind of job has to provide."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from gateway.store import Connection

UPLOAD = "upload"
"""The phase in which the process that began a job still brings in its data: nobody else can go on with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is kept; `phase` and `place` say where its next turn begins."""

    id: int
    public_id: str
    kind: str
    state: str
    actor: str
    arguments: dict[str, Any]
    phase: str
    place: dict[str, Any]
    done: int
    total: int | None
    result: dict[str, Any]
    error: str | None
    attempts: int

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state not in {"waiting", "running"}


Report = Callable[[int, int | None], None]
"""Says how far a turn is (done, total); raises to end it, when the job was cancelled or its process is to stop."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of a job is given."""

    job: Job
    now: datetime
    report: Report


@dataclass(frozen=True, slots=True)
class Step:
    """What a turn came to: the phase and place of the next one, or no phase when the job is done."""

    phase: str | None
    done: int = 0
    total: int | None = None
    place: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None


class Kind(Protocol):
    """A kind of job. Its turns take up where the last one ended, whoever ran that."""

    @property
    def name(self) -> str:
        """As it stands in the table."""

    @property
    def settled(self) -> Collection[str]:
        """The phases in which what was asked for has happened: from here on it is finished, not cancelled."""

    def turn(self, tx: Connection, turn: Turn) -> Step:
        """Do the next piece of work in `tx`; it is committed together with where the job then stands."""

    def tidy(self, tx: Connection, job_id: int, limit: int) -> bool:
        """Remove up to so many rows of each table that the job staged; true when none is left."""
