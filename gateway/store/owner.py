"""The database role that serves owners: through views it sees only what belongs to one person."""

from gateway.store.database import Connection
from gateway.store.queries import queries


def act_as_owner(tx: Connection, person_id: int) -> None:
    """Restrict the rest of this transaction to what this person may see and do."""
    tx.execute(queries.act_as_owner, {"person_id": person_id})
