"""Jobs in the database: who runs which, and where it stands."""

from datetime import datetime, timedelta
from typing import Any

from gateway.core.errors import NotFound
from gateway.core.ids import IdMaker, random_id
from gateway.jobs.model import UPLOAD, Job
from gateway.store import Connection, Jsonb, Row, load_queries

queries = load_queries("gateway.jobs")

LEASE = timedelta(seconds=30)
"""A process that runs a job and says nothing for so long has lost it."""


def job_of(row: Row | None) -> Job | None:
    """A job from its row."""
    if row is None:
        return None
    return Job(**{name: value for name, value in row.items() if name != "cancel_asked"})


def create(
    connection: Connection, kind: str, arguments: dict[str, Any], *, actor: str, owner: str, new_id: IdMaker = random_id
) -> Job:
    """Begin a job whose data its creator brings in, and then runs."""
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
    taking = {"kinds": kinds, "owner": owner, "lease": LEASE}
    return job_of(connection.execute(queries.take, taking).fetchone())


def newest(connection: Connection, limit: int) -> list[Row]:
    """The newest jobs, as the command lists them."""
    return connection.execute(queries.newest, {"limit": limit}).fetchall()


def ask_to_cancel(connection: Connection, public_id: str) -> Row:
    """Have a job cancelled by the process that runs it; returns its kind and phase. Raises NotFound when it is over."""
    asked = {"public_id": public_id}
    row = connection.execute(queries.ask_to_cancel, asked).fetchone()
    if row is None:
        over = connection.execute(queries.state, asked).fetchone()
        raise NotFound(
            f"The job {public_id} is {over['state']}: there is nothing to cancel."
            if over
            else f"There is no job {public_id}; `gateway jobs list` names those there are."
        )
    return row


def forget(connection: Connection, before: datetime, limit: int) -> int:
    """Forget jobs that ended before a moment; returns the number of them."""
    return connection.execute(queries.forget, {"before": before, "limit": limit}).rowcount
