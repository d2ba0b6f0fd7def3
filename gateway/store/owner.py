"""The database role that serves owners: through views it sees only what belongs to one person."""

from psycopg.sql import SQL

from gateway.store.database import Connection
from gateway.store.queries import queries

_BECOME = SQL("SET LOCAL ROLE gateway_owner")


def act_as_owner(tx: Connection, person_id: int) -> None:
    """Restrict the rest of this transaction to what this person may see and do."""
    tx.execute(queries.set_person, {"person_id": person_id})
    tx.execute(_BECOME)
