"""The lease that keeps a job with the process that runs it: a thread renews it, and learns when the job is to stop."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from gateway.jobs.model import Job
from gateway.jobs.repository import LEASE, queries
from gateway.store import Connection, OperationalError, connect

log = logging.getLogger(__name__)

_RENEW_EVERY_S = 1.0


class LeaseLost(Exception):
    """Another process has taken the job up; what this one did in its turn is rolled back."""


class CancelAsked(Exception):
    """Somebody wants the job cancelled."""


class Stopping(Exception):
    """The process is to end; the job stays at the end of its last turn."""


ShowProgress = Callable[[str, int, int | None], None]
"""Shows the progress of a job: its phase, and the rows done and in total (None while that is not known)."""


def show_nothing(_phase: str, _done: int, _total: int | None) -> None:
    """Show no progress."""


class Lease:
    """Renews a job's lease every second over a connection of its own, also while one long turn runs."""

    def __init__(
        self,
        url: str | None,
        job: Job,
        owner: str,
        stop: Callable[[], bool] = lambda: False,
        show: ShowProgress = show_nothing,
    ) -> None:
        self._url = url
        self._owner = owner
        self._stop = stop
        self._show = show
        self._id = job.id
        self._phase = job.phase
        self._is_settled = False
        self._progress: tuple[int, int | None] = (job.done, job.total)
        self._is_lost = False
        self._is_cancelled = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-lease", daemon=True)

    def __enter__(self) -> Self:
        if self._url is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5 * _RENEW_EVERY_S)

    def enter(self, job: Job, *, is_settled: bool) -> None:
        """Note that a turn begins. Raises what `report` raises."""
        self._phase, self._is_settled = job.phase, is_settled
        self.report(job.done, job.total)

    def report(self, done: int, total: int | None) -> None:
        """Note how far the turn is. Raises LeaseLost, CancelAsked or Stopping when it must not go on."""
        self._progress = (done, total)
        self._show(self._phase, done, total)
        if self._is_lost:
            raise LeaseLost
        if self._is_cancelled and not self._is_settled:
            raise CancelAsked
        if self._stop():
            raise Stopping

    def _run(self) -> None:
        while not self._over.wait(_RENEW_EVERY_S):
            try:
                with connect(self._url or "", "gateway-job") as connection:
                    self._renew(connection)
                    while not self._over.wait(_RENEW_EVERY_S):
                        self._renew(connection)
            except OperationalError as error:
                # The turn in progress finds out by itself: it cannot be committed when the lease was lost.
                log.warning("The lease of a job cannot be renewed (%s).", str(error).strip())

    def _renew(self, connection: Connection) -> None:
        done, total = self._progress
        parameters = {"id": self._id, "owner": self._owner, "lease": LEASE, "done": done, "total": total}
        row = connection.execute(queries.renew, parameters).fetchone()
        if row is None:
            self._is_lost = not self._over.is_set()
        elif row["cancel_asked"]:
            self._is_cancelled = True
