"""Channel `feed`: the notice appears in every open My Products page of its person, through the event log."""

from gateway.events import append
from gateway.store import Connection, Row


def deliver(tx: Connection, delivery: Row) -> None:
    """Put the notice on the event stream; done when `tx` commits."""
    told = {
        "notice": delivery["public_id"],
        "channel": "feed",
        "title": delivery["text"]["title"],
        "severity": delivery["severity"],
        "raised_at": delivery["why"]["raised_at"],
    }
    append(tx, "notice.told", told, unit_id=delivery["unit_id"], person_id=delivery["person_id"])
