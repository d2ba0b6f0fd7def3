"""Readings in the database: stored, compared with what stands, and read again; in the caller's transaction."""

from collections.abc import Collection
from datetime import date, datetime

import numpy as np

from gateway.core.clock import from_us, to_us
from gateway.core.readings import US_A_DAY, Flags, Ints, Readings
from gateway.store import Connection, load_queries
from gateway.store.copy import Column, copy_columns, timestamps

queries = load_queries("gateway.readings")

SPANS_MAX = 16
"""Runs of days that one batch is looked up in; of a batch on more runs, the days between some are looked at too."""
_EPOCH = date(1970, 1, 1)


CONFLICTS_PER_UNIT = 1_000
"""Conflicting readings of a unit that are kept; further ones are only counted, until the oldest half is dropped."""

Conflicts = dict[tuple[int, int], int]
"""By unit and moment of arrival in microseconds, which is one message: its readings that said otherwise."""


def store_readings(
    tx: Connection,
    readings: Readings,
    late: Flags,
    known: Flags,
    *,
    all_known: bool = False,
    without_room: Collection[date] = (),
) -> Conflicts:
    """Store a batch: what is newer than anything stored by bare COPY, the rest past a look at what is there.

    `late` readings are not newer than what was judged before; `known` ones may be stored already: they are late, or a
    second of the same moment. `all_known` looks at every reading: for a batch whose first try met a duplicate.

    Returns the readings that said otherwise than what stands for their time; of them the first of a unit are kept.
    Readings of days `without_room` wait in a table of their own, until `waiting.move_waiting` brings them to their day.
    """
    conflicts: Conflicts = {}
    waits = np.isin(readings.time // US_A_DAY, [(day - _EPOCH).days for day in without_room])
    looked_up = np.ones_like(known) if all_known else known | waits
    if not looked_up.all():
        copy_columns(tx, "telemetry", _telemetry(readings[~looked_up], late[~looked_up]))
    if looked_up.any():
        rest, rest_waits = readings[looked_up], waits[looked_up]
        tx.execute(queries.stage)
        place = {"place": np.arange(len(rest), dtype=np.int32)}
        copy_columns(tx, "staged", place | _telemetry(rest, late[looked_up]) | {"waits": rest_waits})
        conflicts = store_staged(tx, rest.time[~rest_waits], wait=bool(rest_waits.any()))
    if not known.all():
        _upsert_latest(tx, readings[~known])
    return conflicts


def store_staged(tx: Connection, times: Ints, *, wait: bool = False) -> Conflicts:
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


def day_spans(times: Ints) -> list[tuple[datetime, datetime]]:
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


def _upsert_latest(tx: Connection, fresh: Readings) -> None:
    order = np.lexsort((fresh.time, fresh.metric, fresh.unit))
    unit, metric = fresh.unit[order], fresh.metric[order]
    last = order[np.append((unit[1:] != unit[:-1]) | (metric[1:] != metric[:-1]), True)]
    tx.execute(queries.stage_latest)
    copy_columns(tx, "staged_latest", _values(fresh[last]))
    tx.execute(queries.upsert_latest)
