"""Stores readings and finds conflicts with stored ones, in the caller's transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from gateway.core.clock import from_us, to_us
from gateway.store import Connection, load_queries
from gateway.store.copy import copy_columns, timestamps

queries = load_queries("gateway.readings")

Column = np.ndarray[Any, np.dtype[Any]]

US_A_DAY = 86_400_000_000
SPANS_MAX = 16
"""The most runs of days in which stored readings are looked up for one batch; beyond it, close runs are joined."""
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
    """Whether a reading is not newer than those judged before."""
    known: Column
    """Whether a reading may be stored already: it is late, or its time occurs twice."""

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
"""The most conflicting readings kept for a unit; further ones are only counted, until the oldest half is dropped."""

Conflicts = dict[tuple[int, int], int]
"""The number of conflicting readings of each message, by unit id and time of arrival in microseconds."""


def store_readings(
    tx: Connection, readings: Columns, *, all_known: bool = False, without_room: Collection[date] = ()
) -> Conflicts:
    """Store a batch: readings newer than any stored one by plain COPY, the others after a look-up of stored ones.

    Returns the readings that differ from the stored value of their time; the first ones of each unit are kept.

    With `all_known` all are looked up: for a batch whose first try met a duplicate. Readings of days `without_room`
    wait in another table until `waiting.move_waiting` moves them.
    """
    conflicts: Conflicts = {}
    waits = np.isin(readings.time // US_A_DAY, [(day - _EPOCH).days for day in without_room])
    looked_up = np.ones_like(readings.known) if all_known else readings.known | waits
    new_readings = readings[~readings.known]
    copied = readings[~looked_up]
    if len(copied.unit):
        copy_columns(tx, "telemetry", _telemetry(copied))
    if looked_up.any():
        compared, compared_waits = readings[looked_up], waits[looked_up]
        tx.execute(queries.stage)
        place = {"place": np.arange(len(compared.unit), dtype=np.int32)}
        copy_columns(tx, "staged", place | _telemetry(compared) | {"waits": compared_waits})
        conflicts = store_staged(tx, compared.time[~compared_waits], wait=bool(compared_waits.any()))
    if len(new_readings.unit):
        _upsert_latest(tx, new_readings)
    return conflicts


def store_staged(tx: Connection, times: Column, *, wait: bool = False) -> Conflicts:
    """Store the staged readings: those of `times`, and with `wait` those that wait for the partition of their day.

    Returns those that differ from the stored value; the first ones of each unit are kept.
    """
    marked = 0
    if len(times):
        tx.execute(queries.insert_staged)
        for begin, end in day_spans(times):
            # Not prepared: only a plan for these bounds leaves out the partitions of other days.
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
    """The runs of UTC days with these times (microseconds since 1970), joined at the smallest gaps to `SPANS_MAX`."""
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


def _upsert_latest(tx: Connection, new_readings: Columns) -> None:
    order = np.lexsort((new_readings.time, new_readings.metric, new_readings.unit))
    unit, metric = new_readings.unit[order], new_readings.metric[order]
    newest_rows = order[np.append((unit[1:] != unit[:-1]) | (metric[1:] != metric[:-1]), True)]
    newest = new_readings[newest_rows]
    tx.execute(queries.stage_latest)
    latest = _telemetry(newest)
    del latest["late"]
    copy_columns(tx, "staged_latest", latest)
    tx.execute(queries.upsert_latest)
