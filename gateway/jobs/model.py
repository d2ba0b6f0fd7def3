"""A job as it is stored, and what a kind of job has to provide."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from gateway.store import Connection

UPLOAD = "upload"
"""The phase in which the process that created a job loads its data: no other process can go on with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is stored; `phase` and `place` say where its next turn begins."""

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
"""Notes how far a turn is (rows done, in total). Raises to end the turn when the job was cancelled or is to stop."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The arguments of one turn of a job."""

    job: Job
    now: datetime
    report: Report


@dataclass(frozen=True, slots=True)
class Step:
    """The result of a turn: the phase and place of the next one, or no phase when the job is done."""

    phase: str | None
    done: int = 0
    total: int | None = None
    place: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None


class Kind(Protocol):
    """A kind of job. Each turn begins where the last one ended, whichever process ran that."""

    @property
    def name(self) -> str:
        """The kind as the table has it."""

    @property
    def settled(self) -> Collection[str]:
        """The phases in which the change is made already: from then on the job is finished, not cancelled."""

    def turn(self, tx: Connection, turn: Turn) -> Step:
        """Do the next piece of work in `tx`; it is committed together with the job's new phase and place."""

    def tidy(self, tx: Connection, job_id: int, limit: int) -> bool:
        """Remove up to `limit` staged rows of each table. Returns whether none is left."""
