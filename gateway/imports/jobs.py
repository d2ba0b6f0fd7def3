"""Jobs put together: the kinds there are, the worker's thread that takes them up, what the command shows of them."""

import logging
import threading

from gateway.campaigns.follow import owners_began
from gateway.core.clock import Clock
from gateway.jobs import repository
from gateway.jobs.model import Kind
from gateway.jobs.runner import Runner, new_owner
from gateway.registrations.owner_import import OwnerImport
from gateway.registrations.staging import Follower
from gateway.registrations.unit_import import UnitImport
from gateway.store import Connection, OperationalError, Row, connect

log = logging.getLogger(__name__)

AFTER_UNITS: tuple[Follower, ...] = ()
"""Called after an import created or changed units, with ids of them, in short transactions."""
AFTER_OWNERS: tuple[Follower, ...] = (owners_began,)
"""Called after an import let ownerships begin, with the ids of the units."""
_LOOK_S = 2.0
_JOBS_SHOWN = 50


def kinds() -> dict[str, Kind]:
    """Every kind of job, by its name."""
    all_kinds: tuple[Kind, ...] = (UnitImport(AFTER_UNITS), OwnerImport(AFTER_OWNERS))
    return {kind.name: kind for kind in all_kinds}


class JobThread:
    """A thread of the worker that takes jobs whose process has ended; notices do not wait for it."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to take up jobs."""
        self._thread.start()

    def stop(self) -> None:
        """Take up no more jobs; the running turn is rolled back, and another worker does it."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._url, "gateway-jobs") as connection:
                    self._take_up(connection)
            except OperationalError as error:
                log.warning("The database does not answer (%s).", str(error).strip())
            except Exception:
                log.exception("A job broke; it is tried again.")
            self._stop.wait(_LOOK_S)

    def _take_up(self, connection: Connection) -> None:
        runner = Runner(connection, kinds(), self._clock, new_owner(), self._url, self._stop.is_set)
        while not self._stop.is_set():
            if not runner.run_next():
                self._stop.wait(_LOOK_S)


def newest_lines(url: str) -> list[str]:
    """Returns a line for each of the newest jobs, with the error of one that failed."""
    with connect(url, "gateway-jobs") as connection:
        rows = repository.newest(connection, _JOBS_SHOWN)
    return [line for row in rows for line in _lines(row)] or ["There are no jobs."]


def _lines(row: Row) -> list[str]:
    state = row["state"]
    if row["finished_at"] is None:
        of = "" if row["total"] is None else f" of {row['total']:,}"
        state = f"{state}, {row['phase']} {row['done']:,}{of}"
        if row["is_left"]:
            state += ", its process is gone: a worker takes it up"
        elif row["cancel_asked"]:
            state += ", to be cancelled"
    names = ", ".join(row["arguments"].get("files", ()))
    head = f"{row['public_id']}  {row['created_at']:%Y-%m-%d %H:%M}  {row['kind']} {names} ({row['actor']}): {state}"
    return [head, *(f"  {line}" for line in (row["error"] or "").splitlines())]


def cancel(url: str, public_id: str) -> str:
    """Have a job cancelled. Raises NotFound when there is none, or it is over."""
    with connect(url, "gateway-jobs") as connection:
        row = repository.ask_to_cancel(connection, public_id)
    if row["phase"] in kinds()[row["kind"]].settled:
        return f"The job {public_id} has done its work already, and only finishes: it is not cancelled."
    return f"The job {public_id} is being cancelled; nothing is changed."
