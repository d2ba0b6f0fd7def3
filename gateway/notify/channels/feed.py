"""Channel `feed`: the notice appears in every open My Products page of its person, through the event log."""

from gateway.events import append
from gateway.notify.repository import of_campaign
from gateway.store import Connection, Row


def deliver(tx: Connection, delivery: Row) -> None:
    """Put the notice on the event stream; done when `tx` commits."""
    data = {
        "notice": delivery["notice"],
        "channel": "feed",
        "title": delivery["text"]["title"],
        "severity": delivery["severity"],
    }
    data |= {"raised_at": delivery["why"]["raised_at"]} if delivery["kind"] == "alarm" else of_campaign(delivery)
    append(tx, "notice.told", data, unit_id=delivery["unit_id"], person_id=delivery["person_id"])
