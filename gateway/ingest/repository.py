"""Stores last messages, receipts and the journal; in the caller's transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.errors import Unavailable
from gateway.m2m.counted import Counted, Receipt
from gateway.m2m.message import Heard
from gateway.m2m.redelivery import JOURNAL
from gateway.m2m.topics import TOPIC_MAX
from gateway.store import Connection, Row, UniqueViolation, load_queries

queries = load_queries("gateway.ingest")


def storable(text: str) -> str:
    """Text without the one character that PostgreSQL cannot hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def storable_topic(topic: str) -> str:
    """A topic as it is kept: cut, for MQTT allows 64 kB of it."""
    return storable(topic[:TOPIC_MAX])


def keep_last(
    tx: Connection, kept: Sequence[Heard], payload_bytes: int, conflicts: Mapping[tuple[int, int], int] | None = None
) -> None:
    """Keep messages in place of their units' oldest ones; those of one unit in arrival order.

    `conflicts` counts the readings of a message that contradict stored ones.
    """
    if not kept:
        return
    conflicts = conflicts or {}
    tx.execute(
        queries.keep_last,
        {
            "units": [each.unit_id for each in kept],
            "received": [each.message.received_us for each in kept],
            "topics": [storable_topic(each.message.topic) for each in kept],
            "payloads": [each.message.payload[:payload_bytes] for each in kept],
            "sizes": [len(each.message.payload) for each in kept],
            "reasons": [each.rejected and each.rejected.reason for each in kept],
            "details": [each.rejected and storable(each.rejected.detail) for each in kept],
            "ignored": [_text_array(each.ignored) for each in kept],
            "conflicting": [conflicts.get((each.unit_id, each.message.received_us), 0) for each in kept],
        },
    )


def _text_array(texts: Sequence[str]) -> str:
    """A text[] as PostgreSQL reads it: an array of arrays would need all of one length."""
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in escaped) + "}"


def messages(connection: Connection, unit_id: int) -> list[Row]:
    """The last messages of a unit, the newest first."""
    return connection.execute(queries.unit_messages, {"unit_id": unit_id}).fetchall()


def receipts(connection: Connection) -> dict[int, Receipt]:
    """What was counted of every unit whose product asks for receipts."""
    return {
        row["unit_id"]: Receipt(
            row["topic"], Counted(row["boot"], tuple((span.lower, span.upper) for span in row["taken"]))
        )
        for row in connection.execute(queries.receipts)
    }


def write_receipts(tx: Connection, counted: Mapping[int, Receipt]) -> None:
    """Keep what is counted of these units."""
    if not counted:
        return
    tx.execute(
        queries.write_receipts,
        {
            "units": list(counted),
            "topics": [each.topic for each in counted.values()],
            "boots": [each.counted.boot for each in counted.values()],
            "taken": [_multirange(each.counted) for each in counted.values()],
        },
    )


def _multirange(counted: Counted) -> str:
    return "{" + ",".join(f"[{first},{end})" for first, end in counted.spans) + "}"


def ask_receipt_reset(tx: Connection, product: str, serial: str) -> Row | None:
    """Ask ingest to forget a unit's count. Returns None without such a unit, `boot` None without a receipt."""
    return tx.execute(queries.ask_receipt_reset, {"product": product, "serial": serial}).fetchone()


def receipts_to_forget(connection: Connection) -> list[int]:
    """The units whose counts an operator asked to forget."""
    return [row["unit_id"] for row in connection.execute(queries.receipts_to_forget)]


def forget_receipts(tx: Connection, units: Sequence[int]) -> None:
    """Drop the counts of these units."""
    tx.execute(queries.forget_receipts, {"units": list(units)})


@dataclass(frozen=True, slots=True)
class Journaled:
    """A batch in the journal; one without content is a change of the catalog to its revision."""

    seq: int
    revision: int
    partitions: frozenset[int] | None
    """The partitions of its readings; None, meaning any, where an older version wrote it."""
    readings: bytes


def write_journal(
    tx: Connection, seq: int, revision: int, partitions: Sequence[int], readings: bytes, messages: bytes
) -> None:
    """Write batch `seq`, judged under a revision of the catalog.

    Raises Unavailable if another process wrote one with that number meanwhile.
    """
    try:
        batch = {"seq": seq, "revision": revision, "readings": readings, "messages": messages}
        tx.execute(queries.insert_journal, batch | {"partitions": list(partitions), "schema": JOURNAL.schema})
    except UniqueViolation as error:
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.") from error


def is_committed(connection: Connection, seq: int, readings: bytes, messages: bytes) -> bool:
    """Whether batch `seq` stands in the journal; raises Unavailable if it is another process's."""
    row = connection.execute(queries.journal_entry, {"seq": seq}).fetchone()
    if row is not None and (row["readings"], row["messages"]) != (readings, messages):
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.")
    return row is not None


def committed_revision(connection: Connection, seq: int) -> int | None:
    """The revision of the catalog that was taken over as `seq`, if that is committed.

    Raises Unavailable if another process's batch has that number.
    """
    row = connection.execute(queries.journal_entry, {"seq": seq}).fetchone()
    if row is not None and (row["readings"] or row["messages"]):
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.")
    return int(row["revision"]) if row else None


def journal_after(connection: Connection, seq: int) -> Iterator[Journaled]:
    """The batches behind `seq`, in order."""
    for row in connection.execute(queries.journal_after, {"seq": seq}):
        partitions = None if row["partitions"] is None else frozenset(row["partitions"])
        yield Journaled(row["seq"], row["revision"], partitions, _as_journaled(row)["readings"])


def last_messages(connection: Connection) -> bytes:
    """The journal's entries of received messages, oldest first."""
    rows = connection.execute(queries.journal_messages).fetchall()
    return b"".join(_as_journaled(row)["messages"] for row in reversed(rows))


def _as_journaled(row: Row) -> Row:
    """A row of the journal with its bytes in the present schema."""
    upgraded: Row = JOURNAL.read({name: row[name] for name in ("readings", "messages") if name in row}, row["schema"])
    return upgraded


def trim_journal(tx: Connection, keep_bytes: int) -> None:
    """Drop batches that are saved in every partition, but for those that hold the last `keep_bytes` of entries."""
    tx.execute(queries.trim_journal, {"keep_bytes": keep_bytes})
