"""The database role that serves owners: it sees its own person's things through views, and nothing else."""

from gateway.store.database import Connection
from gateway.store.queries import queries


def act_as_owner(tx: Connection, person_id: int) -> None:
    """For the rest of this transaction, see and do only what this person may."""
    tx.execute(queries.act_as_owner, {"person_id": person_id})
