"""Readings and the ingest journal in the database; everything here runs in the caller's transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from gateway.core.clock import from_us, to_us
from gateway.core.errors import Unavailable
from gateway.m2m.counted import Counted, Receipt
from gateway.m2m.message import Heard
from gateway.m2m.redelivery import JOURNAL
from gateway.m2m.topics import TOPIC_MAX
from gateway.store import Connection, Row, UniqueViolation, load_queries
from gateway.store.copy import copy_columns, timestamps

queries = load_queries("gateway.m2m")

Column = np.ndarray[Any, np.dtype[Any]]

US_A_DAY = 86_400_000_000
SPANS_MAX = 16
"""Runs of days that one batch is looked up in; of a batch on more runs, the days between some are looked at too."""
_EPOCH = date(1970, 1, 1)


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


CONFLICTS_PER_UNIT = 1_000
"""Conflicting readings of a unit that are kept; further ones are only counted, until the oldest half is dropped."""

Conflicts = dict[tuple[int, int], int]
"""By unit and moment of arrival in microseconds, which is one message: its readings that said otherwise."""


def store_readings(
    tx: Connection, readings: Columns, *, all_known: bool = False, without_room: Collection[date] = ()
) -> Conflicts:
    """Store a batch: what is newer than anything stored by bare COPY, the rest past a look at what is there.

    Returns the readings that said otherwise than what stands for their time; of them the first of a unit are kept.

    `all_known` sends everything the second way: for a batch whose first try met a duplicate. Readings of days
    `without_room` wait in a table of their own, until `waiting.move_waiting` brings them to their day.
    """
    conflicts: Conflicts = {}
    waits = np.isin(readings.time // US_A_DAY, [(day - _EPOCH).days for day in without_room])
    looked_up = np.ones_like(readings.known) if all_known else readings.known | waits
    fresh = readings[~readings.known]
    bare = readings[~looked_up]
    if len(bare.unit):
        copy_columns(tx, "telemetry", _telemetry(bare))
    if looked_up.any():
        rest, rest_waits = readings[looked_up], waits[looked_up]
        tx.execute(queries.stage)
        place = {"place": np.arange(len(rest.unit), dtype=np.int32)}
        copy_columns(tx, "staged", place | _telemetry(rest) | {"waits": rest_waits})
        conflicts = store_staged(tx, rest.time[~rest_waits], wait=bool(rest_waits.any()))
    if len(fresh.unit):
        _upsert_latest(tx, fresh)
    return conflicts


def store_staged(tx: Connection, times: Column, *, wait: bool = False) -> Conflicts:
    """Store the staged readings: those of `times` in their days and, with `wait`, those that wait for theirs.

    Returns those that said otherwise than what stands; the first of a unit are kept.
    """
    marked = 0
    if len(times):
        tx.execute(queries.insert_staged)
        for begin, end in day_spans(times):
            # Not prepared: only a plan made for these bounds leaves out the days beyond them, however many are kept.
            span = {"begin": begin, "end": end}
            marked += tx.execute(queries.mark_conflicting, span, prepare=False).rowcount
    if wait:
        tx.execute(queries.insert_waiting)
        marked += tx.execute(queries.mark_conflicting_waiting).rowcount
    if not marked:
        return {}
    rows = tx.execute(queries.insert_conflicting, {"share": CONFLICTS_PER_UNIT})
    return {(row["unit_id"], to_us(row["received_at"])): row["readings"] for row in rows}


def day_spans(times: Column) -> list[tuple[datetime, datetime]]:
    """The runs of UTC days that these times (microseconds since 1970) fall on; the smallest gaps are closed beyond
    `SPANS_MAX` runs.
    """
    days = np.unique(times // US_A_DAY)
    gaps = np.diff(days)
    widest = np.argsort(-gaps, kind="stable")[: SPANS_MAX - 1]
    ends = np.sort(widest[gaps[widest] > 1])
    firsts, lasts = days[np.append(0, ends + 1)], days[np.append(ends, len(days) - 1)]
    return [
        (from_us(first * US_A_DAY), from_us((last + 1) * US_A_DAY))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    ]


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


def storable_topic(topic: str) -> str:
    """A topic as it is kept: cut, for MQTT allows 64 kB of it."""
    return storable(topic[:TOPIC_MAX])


def keep_last(
    tx: Connection, kept: Sequence[Heard], payload_bytes: int, conflicts: Mapping[tuple[int, int], int] | None = None
) -> None:
    """Keep messages of units over their oldest ones; those of one unit in the order of their arrival.

    `conflicts` says how many readings of a message said otherwise than what stood for their time.
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
    """Have ingest forget what was counted of a unit; None without such a unit, `boot` None without a receipt."""
    return tx.execute(queries.ask_receipt_reset, {"product": product, "serial": serial}).fetchone()


def receipts_to_forget(connection: Connection) -> list[int]:
    """The units whose receipts an operator wants forgotten."""
    return [row["unit_id"] for row in connection.execute(queries.receipts_to_forget)]


def forget_receipts(tx: Connection, units: Sequence[int]) -> None:
    """Drop what was counted of these units."""
    tx.execute(queries.forget_receipts, {"units": list(units)})


def write_journal(tx: Connection, seq: int, revision: int, readings: bytes, messages: bytes) -> None:
    """Write batch `seq`, judged under a revision of the catalog.

    Raises Unavailable if another process wrote one with that number meanwhile.
    """
    try:
        batch = {"seq": seq, "revision": revision, "readings": readings, "messages": messages}
        tx.execute(queries.insert_journal, batch | {"schema": JOURNAL.schema})
    except UniqueViolation as error:
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.") from error


def is_committed(connection: Connection, seq: int, readings: bytes, messages: bytes) -> bool:
    """Whether batch `seq` stands in the journal; raises Unavailable if it is another process's."""
    row = connection.execute(queries.journal_entry, {"seq": seq}).fetchone()
    if row is not None and (row["readings"], row["messages"]) != (readings, messages):
        raise Unavailable(f"Batch {seq} of another process stands in the journal: starting anew.")
    return row is not None


def journal_after(connection: Connection, seq: int) -> Iterator[tuple[int, int, bytes]]:
    """Number, catalog revision and readings of the batches behind `seq`, in order."""
    for row in connection.execute(queries.journal_after, {"seq": seq}):
        yield row["seq"], row["revision"], _as_journaled(row)["readings"]


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
