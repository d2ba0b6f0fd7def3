"""Readings and the ingest journal in the database; everything here runs in the caller's transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gateway.core.errors import Unavailable
from gateway.m2m.counted import Counted, Receipt
from gateway.m2m.message import Heard
from gateway.m2m.redelivery import JOURNAL
from gateway.store import Connection, Row, UniqueViolation, load_queries
from gateway.store.copy import copy_columns, timestamps

queries = load_queries("gateway.m2m")

Column = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of one batch in arrival order; times in microseconds since 1970."""

    unit: Column
    metric: Column
    time: Column
    value: Column
    received: Column
    late: Column
    """Not newer than what was judged before."""
    known: Column
    """May be stored already (late, or a second of the same moment): takes the road that looks."""

    def __getitem__(self, rows: Column) -> "Columns":
        return Columns(
            self.unit[rows],
            self.metric[rows],
            self.time[rows],
            self.value[rows],
            self.received[rows],
            self.late[rows],
            self.known[rows],
        )


def store_readings(tx: Connection, readings: Columns, *, all_known: bool = False) -> None:
    """Store a batch: what is newer than anything stored by bare COPY, the rest past a look at what is there.

    `all_known` sends everything the second road: for a batch whose first try met a duplicate.
    """
    known = np.ones_like(readings.known) if all_known else readings.known
    fresh = readings[~readings.known]
    if not all_known and len(fresh.unit):
        copy_columns(tx, "telemetry", _telemetry(fresh))
    if known.any():
        rest = readings[known]
        tx.execute(queries.stage)
        copy_columns(tx, "staged", {"place": np.arange(len(rest.unit), dtype=np.int32)} | _telemetry(rest))
        tx.execute(queries.insert_staged)
        tx.execute(queries.insert_conflicting)
    if len(fresh.unit):
        _upsert_latest(tx, fresh)


def _telemetry(readings: Columns) -> dict[str, Column]:
    return {
        "time": timestamps(readings.time),
        "unit_id": readings.unit,
        "metric_id": readings.metric,
        "value": readings.value,
        "received_at": timestamps(readings.received),
        "late": readings.late,
    }


def _upsert_latest(tx: Connection, fresh: Columns) -> None:
    order = np.lexsort((fresh.time, fresh.metric, fresh.unit))
    unit, metric = fresh.unit[order], fresh.metric[order]
    last = order[np.append((unit[1:] != unit[:-1]) | (metric[1:] != metric[:-1]), True)]
    newest = fresh[last]
    tx.execute(queries.stage_latest)
    latest = _telemetry(newest)
    del latest["late"]
    copy_columns(tx, "staged_latest", latest)
    tx.execute(queries.upsert_latest)


def storable(text: str) -> str:
    """Text without the one character that PostgreSQL cannot hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def keep_last(tx: Connection, kept: Sequence[Heard], payload_bytes: int) -> None:
    """Keep messages of units over their oldest ones; those of one unit in the order of their arrival."""
    if not kept:
        return
    tx.execute(
        queries.keep_last,
        {
            "units": [each.unit_id for each in kept],
            "received": [each.message.received_us for each in kept],
            "topics": [storable(each.message.topic) for each in kept],
            "payloads": [each.message.payload[:payload_bytes] for each in kept],
            "sizes": [len(each.message.payload) for each in kept],
            "reasons": [each.rejected and each.rejected.reason for each in kept],
            "details": [each.rejected and storable(each.rejected.detail) for each in kept],
        },
    )


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


def write_journal(tx: Connection, seq: int, readings: bytes, messages: bytes) -> None:
    """Write batch `seq`; raises Unavailable if another process wrote one with that number meanwhile."""
    try:
        tx.execute(
            queries.insert_journal, {"seq": seq, "readings": readings, "messages": messages, "schema": JOURNAL.schema}
        )
    except UniqueViolation as error:
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.") from error


def is_committed(connection: Connection, seq: int, readings: bytes, messages: bytes) -> bool:
    """Whether batch `seq` stands in the journal; raises Unavailable if it is another process's."""
    row = connection.execute(queries.journal_entry, {"seq": seq}).fetchone()
    if row is not None and (row["readings"], row["messages"]) != (readings, messages):
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.")
    return row is not None


def journal_after(connection: Connection, seq: int) -> Iterator[tuple[int, bytes]]:
    """Number and readings of the batches behind `seq`, in order."""
    for row in connection.execute(queries.journal_after, {"seq": seq}):
        yield row["seq"], _as_journaled(row)["readings"]


def last_messages(connection: Connection) -> bytes:
    """The journal's entries of received messages, oldest first."""
    rows = connection.execute(queries.journal_messages).fetchall()
    return b"".join(_as_journaled(row)["messages"] for row in reversed(rows))


def _as_journaled(row: Row) -> Row:
    """A row of the journal with its bytes in the present schema."""
    upgraded: Row = JOURNAL.read({name: row[name] for name in ("readings", "messages") if name in row}, row["schema"])
    return upgraded


def trim_journal(tx: Connection, seq: int, keep_bytes: int) -> None:
    """Drop batches up to `seq`, but for those that hold the last `keep_bytes` of message entries."""
    tx.execute(queries.trim_journal, {"seq": seq, "keep_bytes": keep_bytes})
