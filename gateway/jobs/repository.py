"""Jobs in the database: which process runs each, and its phase and place."""

from datetime import datetime, timedelta
from typing import Any

from gateway.core.errors import NotFound
from gateway.core.ids import IdMaker, random_id
from gateway.jobs.model import UPLOAD, Job
from gateway.store import Connection, Jsonb, Row, load_queries

queries = load_queries("gateway.jobs")

LEASE = timedelta(seconds=30)
"""A process that does not renew its lease for this time has lost the job."""


def job_of(row: Row | None) -> Job | None:
    """A job from its row."""
    if row is None:
        return None
    return Job(**{name: value for name, value in row.items() if name != "cancel_asked"})


def create(
    connection: Connection, kind: str, arguments: dict[str, Any], *, actor: str, owner: str, new_id: IdMaker = random_id
) -> Job:
    """Create a job that its creator loads the data of and then runs."""
    row = connection.execute(
        queries.create,
        {
            "public_id": new_id(),
            "kind": kind,
            "actor": actor,
            "arguments": Jsonb(arguments),
            "phase": UPLOAD,
            "owner": owner,
            "lease": LEASE,
        },
    ).fetchone()
    job = job_of(row)
    assert job is not None  # noqa: S101 - an INSERT with RETURNING returns a row
    return job


def take(connection: Connection, kinds: list[str], owner: str) -> Job | None:
    """The next job that this process may run, if there is one."""
    parameters = {"kinds": kinds, "owner": owner, "lease": LEASE}
    return job_of(connection.execute(queries.take, parameters).fetchone())


def newest(connection: Connection, limit: int) -> list[Row]:
    """The newest jobs, as the command lists them."""
    return connection.execute(queries.newest, {"limit": limit}).fetchall()


def ask_to_cancel(connection: Connection, public_id: str) -> Row:
    """Have a job cancelled by the process that runs it; returns its kind and phase. Raises NotFound when it is over."""
    parameters = {"public_id": public_id}
    row = connection.execute(queries.ask_to_cancel, parameters).fetchone()
    if row is None:
        job = connection.execute(queries.state, parameters).fetchone()
        raise NotFound(
            f"The job {public_id} is {job['state']}: there is nothing to cancel."
            if job
            else f"There is no job {public_id}; `gateway jobs list` names those there are."
        )
    return row


def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Forget jobs that ended before a moment; returns the number of them."""
    return connection.execute(queries.forget, {"before": before, "limit": limit}).rowcount
