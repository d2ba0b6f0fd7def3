"""Database rows become what the API returns to the staff."""

from gateway.api import models
from gateway.api.staff import quarantine_models
from gateway.api.views import notice_fields
from gateway.core.clock import to_us
from gateway.ingest.quarantine import is_whole
from gateway.store import Row
from gateway.text import Speech
from gateway.text.reasons import reason_text

LANGUAGE = "en"


def notice(row: Row, say: Speech) -> models.Notice:
    """A notice with the name of whom it was sent to."""
    return models.Notice(**notice_fields(row, say), person=row["person"])


def ledger_line(row: Row, say: Speech) -> models.LedgerLine:
    """What the stages decided, with their reasons in words."""
    steps = [step | {"reason": reason_text(step["reason"], say)} for step in row["steps"]]
    return models.LedgerLine(**_in_words(row, say) | {"steps": steps})


def delivery(row: Row, say: Speech) -> models.StaffDelivery:
    """A notice on a channel, and how it ended."""
    return models.StaffDelivery(**_in_words(row, say))


def _in_words(row: Row, say: Speech) -> Row:
    return row | {"id": str(row["id"]), "reason": reason_text(row["reason"], say)}


def stored_reading(row: Row) -> tuple[str, int, float, int, bool]:
    """Returns a reading as it is stored."""
    return row["metric"], to_us(row["time"]), row["value"], to_us(row["received_at"]), row["late"]


def quarantined_message(row: Row) -> quarantine_models.Quarantined:
    """Returns a quarantined message."""
    payload: bytes = row["payload"]
    fields = {"id": str(row["id"]), "payload": payload.decode("utf-8", "replace"), "whole": is_whole(row)}
    return quarantine_models.Quarantined(**row | fields)


MESSAGE_COLUMNS = ("message", "received", "topic", "reason", "detail", "bytes", "whole", "payload")
"""Of the saved quarantine."""


def saved_message(row: Row) -> list[object]:
    """A quarantined message as a line of a saved list."""
    message = quarantined_message(row)
    return [
        *(message.id, message.received_at.isoformat(), message.topic, message.reason, message.detail, message.size),
        *("yes" if message.whole else "no", message.payload),
    ]
