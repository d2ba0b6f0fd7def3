"""Writes the events of notices that an approval withdrew, some in each turn, so that an alarm's event waits shortly.

The approval changed the notices themselves, so an owner's page is right before this module has run.
"""

from gateway.campaigns.repository import queries
from gateway.events import append_each
from gateway.store import Connection, Row


def tell_withdrawn(tx: Connection, limit: int) -> int:
    """Write an event for each of some withdrawn notices. Returns the number of notices."""
    rows = tx.execute(queries.withdrawn_notices_due, {"limit": limit}).fetchall()
    if rows:
        append_each(tx, "notice.withdrawn", [(row["unit_id"], row["person_id"], _data(row)) for row in rows])
        tx.execute(queries.withdrawn_notices_done, {"ids": [row["id"] for row in rows]})
    return len(rows)


def _data(row: Row) -> dict[str, str]:
    return {"notice": row["public_id"], "campaign": row["campaign"], "replaced_by": row["replaced_by"]}
