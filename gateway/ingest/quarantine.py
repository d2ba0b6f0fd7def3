"""Messages that could not be taken whole: kept, counted by reason, listed, tried again, purged; bounded.

Only ingest judges, so it does the retries: a request marks the message, and ingest takes it like a new one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.clock import to_us
from gateway.core.errors import NotFound
from gateway.events import GATEWAY, append
from gateway.ingest.repository import queries, storable, storable_topic
from gateway.m2m.message import Message, Rejected
from gateway.m2m.topics import sender_of
from gateway.store import Connection, Row

NEWEST = 2**63 - 1
PER_SENDER = 100
"""Messages kept of one sender by default."""
SENDERS_MAX = 10_000
"""Pairs of sender and reason that are counted; those quiet longest are dropped first."""
_NONE = "There is no such message in quarantine."


@dataclass(frozen=True, slots=True)
class Choice:
    """The messages of these numbers, of this reason, or both; all messages with neither."""

    ids: Sequence[int] | None = None
    reason: str | None = None


def quarantine(
    tx: Connection, refused: Sequence[tuple[Message, Rejected]], payload_bytes: int, per_sender: int = PER_SENDER
) -> int:
    """Keep messages that could not be taken whole, each with its reason and the first bytes of its payload.

    Of one sender the newest `per_sender` are kept, those of earlier batches among them; all are counted, by reason and
    by sender. Returns the number kept of these.
    """
    if not refused:
        return 0
    tally = _Tally(per_sender)
    kept = [each for each in reversed(refused) if tally.has_room(*each)]
    kept.reverse()
    tx.execute(
        queries.insert_quarantine,
        {
            "received": [message.received_us for message, _ in kept],
            "senders": [storable(sender_of(message.topic)) for message, _ in kept],
            "topics": [storable_topic(message.topic) for message, _ in kept],
            "reasons": [rejected.reason for _, rejected in kept],
            "details": [storable(rejected.detail) for _, rejected in kept],
            "payloads": [message.payload[:payload_bytes] for message, _ in kept],
            "sizes": [len(message.payload) for message, _ in kept],
        },
    )
    tx.execute(queries.trim_senders, tally.columns() | {"share": per_sender})
    return len(kept)


class _Tally:
    """Counts the refused messages of a batch, the newest first, by sender and reason."""

    def __init__(self, per_sender: int) -> None:
        self._per_sender = per_sender
        self._kept: Counter[str] = Counter()
        self._messages: Counter[tuple[str, str]] = Counter()
        self._unkept: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], int] = {}

    def has_room(self, message: Message, rejected: Rejected) -> bool:
        """Count it; true while the sender has fewer in this batch than its share."""
        sender = storable(sender_of(message.topic))
        key = (sender, rejected.reason)
        self._messages[key] += 1
        self._last.setdefault(key, message.received_us)
        self._kept[sender] += 1
        has_room = self._kept[sender] <= self._per_sender
        self._unkept[key] += not has_room
        return has_room

    def columns(self) -> dict[str, list[Any]]:
        """One row for each sender and reason."""
        return {
            "senders": [sender for sender, _ in self._messages],
            "reasons": [reason for _, reason in self._messages],
            "messages": list(self._messages.values()),
            "unkept": [self._unkept[key] for key in self._messages],
            "last": [self._last[key] for key in self._messages],
        }


def trim(connection: Connection, keep: int) -> int:
    """Drop messages beyond `keep`, of the senders with most; an event holds how many of each reason.

    Returns the number dropped. The counts of senders are trimmed too.
    """
    with connection.transaction():
        gone = {row["reason"]: row["messages"] for row in connection.execute(queries.trim_quarantine, {"keep": keep})}
        if gone:
            append(connection, "quarantine.trimmed", {"reasons": gone})
        connection.execute(queries.forget_senders, {"keep": SENDERS_MAX})
    return sum(gone.values())


def senders(connection: Connection, limit: int, reason: str | None = None) -> list[Row]:
    """The senders with most refused messages, by reason: `messages` ever, `unkept` of them beyond the share."""
    return connection.execute(queries.quarantine_senders, {"limit": limit, "reason": reason}).fetchall()


def page(connection: Connection, before: int, limit: int, reason: str | None = None) -> list[Row]:
    """Messages below a number, the newest first."""
    return connection.execute(queries.quarantine_page, {"before": before, "limit": limit, "reason": reason}).fetchall()


def one(connection: Connection, number: int) -> Row:
    """One message; raises NotFound."""
    row = connection.execute(queries.quarantined, {"id": number}).fetchone()
    if row is None:
        raise NotFound(_NONE)
    return row


def counts(connection: Connection) -> list[Row]:
    """By reason: `messages` ever refused and when last (`last_at`), `here` now, `trimmed` for want of room."""
    return connection.execute(queries.quarantine_counts).fetchall()


def is_whole(row: Row) -> bool:
    """Whether the payload was kept to its end, so that it can be tried again."""
    return bool(len(row["payload"]) == row["size"])


def ask_retry(tx: Connection, choice: Choice, actor: str) -> tuple[int, int]:
    """Have ingest try messages again. Returns how many, and how many were not kept whole and cannot be. May raise
    NotFound.
    """
    row = tx.execute(queries.ask_retry, {"ids": _ids(choice), "reason": choice.reason}).fetchone()
    asked, cut = (row["asked"], row["cut"]) if row else (0, 0)
    if not asked and not cut:
        raise NotFound(_NONE)
    if asked:
        append(tx, "quarantine.retry_asked", {"messages": asked, "reason": choice.reason}, actor=actor)
    return asked, cut


def purge(tx: Connection, choice: Choice, actor: str) -> int:
    """Drop messages for good. Returns how many. Raises NotFound where there is none."""
    purged = tx.execute(queries.purge, {"ids": _ids(choice), "reason": choice.reason}).rowcount
    if not purged:
        raise NotFound(_NONE)
    append(tx, "quarantine.purged", {"messages": purged, "reason": choice.reason}, actor=actor)
    return purged


def _ids(choice: Choice) -> list[int] | None:
    return None if choice.ids is None else list(choice.ids)


# -- Ingest's side ---------------------------------------------------------------------------------------------------


def retry_asked(connection: Connection, limit: int) -> list[Message]:
    """The messages to try again, as they were received then."""
    rows = connection.execute(queries.retry_asked, {"limit": limit})
    return [
        Message(
            topic=row["topic"],
            payload=row["payload"],
            packet_id=0,
            connection=0,
            resumed=False,
            received_us=to_us(row["received_at"]),
            quarantined=row["id"],
        )
        for row in rows
    ]


def settle_retry(tx: Connection, tried: Iterable[int], refused: Sequence[tuple[Message, Rejected]]) -> None:
    """Drop the retried messages that were taken; those refused again stay, with their new reason."""
    again = {message.quarantined: rejected for message, rejected in refused}
    taken = [number for number in tried if number not in again]
    tx.execute(queries.drop_taken, {"taken": taken})
    tx.execute(
        queries.refuse_again,
        {
            "ids": list(again),
            "reasons": [rejected.reason for rejected in again.values()],
            "details": [storable(rejected.detail) for rejected in again.values()],
        },
    )
    append(tx, "quarantine.retried", {"taken": len(taken), "refused": len(again)}, actor=GATEWAY)
