"""Runs jobs, turn by turn. A turn and the job's new phase are one transaction, so a turn is done once or not at all."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import timedelta

from gateway.core.clock import Clock
from gateway.core.errors import GatewayError
from gateway.jobs.lease import CancelAsked, Lease, LeaseLost, ShowProgress, Stopping, show_nothing
from gateway.jobs.model import UPLOAD, Job, Kind, Step, Turn
from gateway.jobs.repository import LEASE, job_of, queries, take
from gateway.store import Connection, IntegrityError, Jsonb, OperationalError
from gateway.store.wakeup import wake

log = logging.getLogger(__name__)

ATTEMPTS_MAX = 5
"""A job fails when this many processes have taken it in a row without finishing a turn."""
TIDY_ROWS = 10_000
"""Staged rows removed in one transaction."""
_TRIES = 3
_LATER = timedelta(minutes=1)
_ERROR_MAX = 8_000
_CUT_OFF = "The command ended before it had read its files. Nothing was changed; run it again."


def new_owner() -> str:
    """Returns a new name under which a process holds jobs."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Runner:
    """Runs jobs over one connection, in autocommit between the turns."""

    def __init__(
        self,
        connection: Connection,
        kinds: Mapping[str, Kind],
        clock: Clock,
        owner: str,
        url: str | None = None,
        stop: Callable[[], bool] = lambda: False,
        show: ShowProgress = show_nothing,
    ) -> None:
        self._connection = connection
        self._kinds = kinds
        self._clock = clock
        self._owner = owner
        self._url = url
        self._stop = stop
        self._show = show
        self.job: Job | None = None
        """The job that `run` runs, as it was before its present turn."""

    def run_next(self) -> bool:
        """Run the next job that no process runs. Returns False when there is none."""
        job = take(self._connection, list(self._kinds), self._owner)
        if job is None:
            return False
        if job.is_over:
            self.tidy(job)
            return True
        log.info("Job %s (%s) is taken up in phase %s.", job.public_id, job.kind, job.phase)
        if job.phase == UPLOAD:
            self._finish(job, "failed", _CUT_OFF)
        elif job.attempts > ATTEMPTS_MAX and job.phase not in self._kinds[job.kind].settled:
            self._finish(job, "failed", f"It was tried {ATTEMPTS_MAX} times ({job.error or 'its process ended'}).")
        else:
            self.run(job)
        return True

    def run(self, job: Job) -> Job:
        """Run a job that this process holds to its end, and remove its staged rows. Returns the ended job.

        A job that cannot go on now is left to a later try, and returned as it is.
        """
        settled = self._kinds[job.kind].settled
        try:
            with Lease(self._url, job, self._owner, self._stop, self._show) as lease:
                while not job.is_over:
                    self.job = job
                    lease.enter(job, is_settled=job.phase in settled)
                    job = self._turn(job, lease)
        except CancelAsked:
            job = self._finish(job, "cancelled", None)
        except LeaseLost:
            log.warning("Job %s was taken up by another process.", job.public_id)
            return job
        except Stopping:
            self._leave(job, timedelta(0), None)
            return job
        except (OperationalError, IntegrityError) as error:
            # A deadlock, a claim meanwhile, a database that goes away: the same turn may succeed later.
            self._leave(job, LEASE / 10, str(error).strip())
            raise
        except GatewayError as error:
            job = self._finish(job, "failed", str(error))
        except Exception as error:
            log.exception("Job %s (%s) broke in phase %s.", job.public_id, job.kind, job.phase)
            if job.phase in settled:
                self._leave(job, _LATER, repr(error))
                return job
            job = self._finish(job, "failed", f"It broke ({error!r}). Nothing was changed.")
        self.tidy(job)
        return job

    def _turn(self, job: Job, lease: Lease) -> Job:
        """Do a turn; after an error that may pass it is tried again."""
        for _ in range(_TRIES - 1):
            try:
                return self._turn_once(job, lease)
            except (IntegrityError, OperationalError) as error:
                if self._connection.closed:
                    raise
                log.warning("Job %s tries its turn again (%s).", job.public_id, str(error).strip())
        return self._turn_once(job, lease)

    def _turn_once(self, job: Job, lease: Lease) -> Job:
        kind = self._kinds[job.kind]
        with self._connection.transaction():
            step = kind.turn(self._connection, Turn(job, self._clock(), lease.report))
            row = self._connection.execute(queries.advance, self._advance_parameters(job, step)).fetchone()
            if row is None:
                raise LeaseLost
            if row["cancel_asked"] and job.phase not in kind.settled:
                raise CancelAsked
        wake(self._connection)
        advanced_job = job_of(row)
        assert advanced_job is not None  # noqa: S101 - the row is there
        return advanced_job

    def _advance_parameters(self, job: Job, step: Step) -> dict[str, object]:
        return {
            "id": job.id,
            "owner": self._owner,
            "lease": LEASE,
            "phase": step.phase,
            "done": step.done,
            "total": step.total,
            "place": Jsonb(step.place),
            "result": None if step.result is None else Jsonb(step.result),
        }

    def cancel(self) -> None:
        """Cancel the job that `run` was interrupted in. Where its change is made already, a worker finishes it."""
        job = self.job
        if job is None:
            return
        if job.phase in self._kinds[job.kind].settled:
            self._leave(job, timedelta(0), None)
        else:
            self.tidy(self._finish(job, "cancelled", None))

    def tidy(self, job: Job) -> None:
        """Remove the staged rows of a job that is over, in short transactions."""
        is_tidy = False
        while not (is_tidy or self._stop()):
            with self._connection.transaction():
                is_tidy = self._kinds[job.kind].tidy(self._connection, job.id, TIDY_ROWS)
        if is_tidy:
            self._connection.execute(queries.tidied, {"id": job.id, "owner": self._owner})

    def _finish(self, job: Job, state: str, error: str | None) -> Job:
        parameters = {"id": job.id, "owner": self._owner, "state": state, "error": error and error[:_ERROR_MAX]}
        ended_job = job_of(self._connection.execute(queries.finish, parameters).fetchone())
        log.log(logging.WARNING if error else logging.INFO, "Job %s (%s) is %s.", job.public_id, job.kind, state)
        return ended_job or job

    def _leave(self, job: Job, pause: timedelta, error: str | None) -> None:
        """Give the job back for a later try. Where the database is away, its lease runs out instead."""
        parameters = {"id": job.id, "owner": self._owner, "pause": pause, "error": error}
        try:
            self._connection.execute(queries.leave, parameters)
        except OperationalError as lease_error:
            log.warning("Job %s keeps its lease until that runs out (%s).", job.public_id, str(lease_error).strip())
