"""Stage `deliver`: the outbox is drained, several workers at once, each delivery by one of them."""

from datetime import datetime

from gateway.events import append
from gateway.notify import repository
from gateway.notify.channels import feed
from gateway.store import Connection, Row


def drain(tx: Connection, now: datetime, limit: int) -> int:
    """Deliver what is due; answers how many deliveries ended. What was held is asked again whether it still matters."""
    deliveries = repository.due(tx, now, limit)
    for delivery in deliveries:
        if delivery["state"] == "resolved" and delivery["severity"] != "safety":
            _skip(tx, delivery, "back to normal before it was due", now)
        else:
            feed.deliver(tx, delivery)
            repository.finish(tx, delivery["id"], "delivered", "shown in the feed", now)
    return len(deliveries)


def _skip(tx: Connection, delivery: Row, reason: str, now: datetime) -> None:
    repository.finish(tx, delivery["id"], "skipped", reason, now)
    told = {"notice": delivery["public_id"], "channel": delivery["channel"], "reason": reason}
    append(tx, "delivery.skipped", told, unit_id=delivery["unit_id"], person_id=delivery["person_id"])
