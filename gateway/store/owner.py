"""The database role that serves owners: it sees its own person's things through views, and nothing else."""

from psycopg.sql import SQL

from gateway.store.database import Connection
from gateway.store.queries import queries

_BECOME = SQL("SET LOCAL ROLE gateway_owner")


def act_as_owner(tx: Connection, person_id: int) -> None:
    """For the rest of this transaction, see and do only what this person may."""
    tx.execute(queries.set_person, {"person_id": person_id})
    tx.execute(_BECOME)
