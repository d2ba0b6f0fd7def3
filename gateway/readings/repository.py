"""Readings in the database: stored, compared with what stands, and read again; in the caller's transaction."""

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
