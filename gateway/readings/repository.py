"""Stores readings and finds conflicts with stored ones, in the caller's transaction."""

from collections.abc import Collection
from datetime import date, datetime

import numpy as np

from gateway.core.clock import from_us, to_us
from gateway.core.readings import US_A_DAY, US_AN_HOUR, Flags, Ints, Readings
from gateway.store import Connection, load_queries
from gateway.store.copy import Column, copy_columns, timestamps

queries = load_queries("gateway.readings")

SPANS_MAX = 16
"""The most runs of days in which stored readings are looked up for one batch; beyond it, close runs are joined."""
_EPOCH = date(1970, 1, 1)


CONFLICTS_PER_UNIT = 1_000
"""The most conflicting readings kept for a unit; further ones are only counted, until the oldest half is dropped."""

Conflicts = dict[tuple[int, int], int]
"""The number of conflicting readings of each message, by unit id and time of arrival in microseconds."""


def store_readings(
    tx: Connection,
    readings: Readings,
    late: Flags,
    known: Flags,
    *,
    all_known: bool = False,
    without_room: Collection[date] = (),
) -> Conflicts:
    """Store a batch: readings newer than any stored one by plain COPY, the others after a look-up of stored ones.

    `late` readings are not newer than those judged before; `known` ones may be stored already: they are late, or their
    time occurs twice. With `all_known` all are looked up: for a batch whose first try met a duplicate.

    Returns the readings that differ from the stored value of their time; the first ones of each unit are kept.
    Readings of days `without_room` wait in another table until `waiting.move_waiting` moves them.
    """
    conflicts: Conflicts = {}
    waits = np.isin(readings.time // US_A_DAY, [(day - _EPOCH).days for day in without_room])
    looked_up = np.ones_like(known) if all_known else known | waits
    if not looked_up.all():
        copy_columns(tx, "telemetry", _telemetry(readings[~looked_up], late[~looked_up]))
    if looked_up.any():
        compared, compared_waits = readings[looked_up], waits[looked_up]
        tx.execute(queries.stage)
        place = {"place": np.arange(len(compared), dtype=np.int32)}
        copy_columns(tx, "staged", place | _telemetry(compared, late[looked_up]) | {"waits": compared_waits})
        conflicts = store_staged(tx, compared.time[~compared_waits], wait=bool(compared_waits.any()))
    if not known.all():
        _upsert_latest(tx, readings[~known])
    if not waits.all():
        _note_touched(tx, readings[~waits])
    return conflicts


def store_staged(tx: Connection, times: Ints, *, wait: bool = False) -> Conflicts:
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


def begin_noting(connection: Connection) -> None:
    """Say that whoever stores readings notes late ones from now on; nothing is rolled up before."""
    connection.execute(queries.begin_noting)


def _note_touched(tx: Connection, readings: Readings) -> None:
    """Note the closed hours of readings, in the transaction that has just stored them.

    It must follow the storing: whoever closes hours then waits for the transactions that have written readings.
    """
    row = tx.execute(queries.closed_to).fetchone()
    if row is None or row["closed_to"] is None:
        return
    touched = readings.time < to_us(row["closed_to"])
    if not touched.any():
        return
    late = readings[touched]
    hours = np.unique(np.stack([late.unit, late.metric, late.time // US_AN_HOUR]), axis=1)
    columns = {
        "unit_id": hours[0],
        "metric_id": hours[1].astype(np.int16),
        "begins": timestamps(hours[2] * US_AN_HOUR),
    }
    copy_columns(tx, "rollup_touched", columns)


def day_spans(times: Ints) -> list[tuple[datetime, datetime]]:
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


def _telemetry(readings: Readings, late: Flags) -> dict[str, Column]:
    return _values(readings) | {"late": late}


def _values(readings: Readings) -> dict[str, Column]:
    return {
        "time": timestamps(readings.time),
        "unit_id": readings.unit,
        "metric_id": readings.metric,
        "value": readings.value,
        "received_at": timestamps(readings.received),
    }


def _upsert_latest(tx: Connection, new_readings: Readings) -> None:
    order = np.lexsort((new_readings.time, new_readings.metric, new_readings.unit))
    unit, metric = new_readings.unit[order], new_readings.metric[order]
    newest = order[np.append((unit[1:] != unit[:-1]) | (metric[1:] != metric[:-1]), True)]
    tx.execute(queries.stage_latest)
    copy_columns(tx, "staged_latest", _values(new_readings[newest]))
    tx.execute(queries.upsert_latest)
