"""The recorded machine, judged by hand: a slow plain pass over the file that shares nothing with the product."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "nab"
FILE = FOLDER / "machine_temperature_system_failure.csv"
CADENCE = timedelta(minutes=5)

Reading = tuple[datetime, float]
Window = tuple[datetime, datetime]


@dataclass
class Alarm:
    """From when on it was beyond the limit, when that was told, and when it was over; values beside the times."""

    onset: datetime
    onset_value: float
    raised_at: datetime
    value: float
    extreme: float  # up to when it was raised
    cleared_at: datetime | None = None
    cleared_value: float | None = None
    worst: float | None = None  # up to when it was cleared


def readings() -> list[Reading]:
    """Every row of the file, in its order; its times have no zone, and are taken for UTC."""
    with FILE.open(newline="") as file:
        return [(_moment(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]


def windows() -> list[Window]:
    """The spans in which the machine was not as it should be, as people labelled them."""
    ((spans),) = json.loads((FOLDER / "windows.json").read_text()).values()
    return [(_moment(begin), _moment(end)) for begin, end in spans]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def first_of_each_time(rows: Sequence[Reading]) -> dict[datetime, float]:
    """What is to be stored: of two values for one time the first in the file."""
    stored: dict[datetime, float] = {}
    for at, value in rows:
        stored.setdefault(at, value)
    return stored


def seconds_of_a_time(rows: Sequence[Reading]) -> list[Reading]:
    """The other values for times that were there already."""
    seen: set[datetime] = set()
    again = []
    for at, value in rows:
        if at in seen:
            again.append((at, value))
        seen.add(at)
    return again


def alarms(
    rows: Sequence[Reading], *, below: float, clear_above: float, wait: timedelta, calm: timedelta
) -> list[Alarm]:
    """The alarms of a machine that goes below a limit for at least `wait`, until it is above the other for `calm`.

    A row that is not newer than all before it is passed over: the clock was set back. For a limit above, turn signs.
    """
    found: list[Alarm] = []
    newest: datetime | None = None
    active = False
    onset: Reading | None = None
    lowest = 0.0
    calm_since: datetime | None = None
    for at, value in rows:
        if newest is not None and at <= newest:
            continue
        assert newest is None or at - newest == CADENCE, "after a silence the waits would begin again"
        newest = at
        if active:
            lowest = min(lowest, value)
            if value <= clear_above:
                calm_since = None
                continue
            calm_since = calm_since or at
            if at - calm_since >= calm:
                found[-1].cleared_at, found[-1].cleared_value, found[-1].worst = at, value, lowest
                active, onset, calm_since = False, None, None
        elif value >= below:
            onset = None
        else:
            if onset is None:
                onset, lowest = (at, value), value
            lowest = min(lowest, value)
            if at - onset[0] >= wait:
                found.append(Alarm(onset[0], onset[1], at, value, lowest))
                active = True
    return found


def turned(found: Sequence[Alarm]) -> list[Alarm]:
    """The same alarms with all signs turned back."""
    return [
        Alarm(
            alarm.onset,
            -alarm.onset_value,
            alarm.raised_at,
            -alarm.value,
            -alarm.extreme,
            alarm.cleared_at,
            None if alarm.cleared_value is None else -alarm.cleared_value,
            None if alarm.worst is None else -alarm.worst,
        )
        for alarm in found
    ]


def cold(rows: Sequence[Reading], below: float = 50, clear_above: float = 55, minutes: int = 30) -> list[Alarm]:
    """As rules.yaml says it: below 50 for half an hour, until it was above 55 for half an hour."""
    wait, calm = timedelta(minutes=minutes), timedelta(minutes=30)
    return alarms(rows, below=below, clear_above=clear_above, wait=wait, calm=calm)


def hot(rows: Sequence[Reading]) -> list[Alarm]:
    """As rules.yaml says it: above 95 for half an hour, until it was below 90 for half an hour."""
    half = timedelta(minutes=30)
    return turned(alarms([(at, -value) for at, value in rows], below=-95, clear_above=-90, wait=half, calm=half))


def window_of(alarm: Alarm, spans: Sequence[Window]) -> int | None:
    """Which of the spans it was raised in, counted from 1."""
    return next((nth for nth, (begin, end) in enumerate(spans, 1) if begin <= alarm.raised_at <= end), None)
