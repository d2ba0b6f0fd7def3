"""What several entries of one message say together: entries without a time, one moment twice, and too many days."""

from typing import Any

from gateway.m2m.message import Reading, Rejected
from gateway.m2m.names import near_ts

_DAY_US = 86_400_000_000


def timed(entries: list[Any], refused: list[Rejected]) -> list[Any]:
    """The entries whose time is known: of several without `ts` that share a metric only one could be of now."""
    untimed = [entry for entry in entries if type(entry) is dict and entry.get("ts") is None]
    if len(untimed) < 2:
        return entries
    # What else is wrong with an entry is told for itself.
    untimed = [entry for entry in untimed if isinstance(entry.get("values"), dict) and near_ts(entry) is None]
    names = [name for entry in untimed for name in entry["values"]]
    if len(set(names)) == len(names):
        return entries
    refused.append(Rejected("no_time", f"{len(untimed)} entries without ts; give each its ts"))
    refused_ids = set(map(id, untimed))
    return [entry for entry in entries if id(entry) not in refused_ids]


def distinct(readings: list[Reading], entries: int, refused: list[Rejected]) -> list[Reading]:
    """One reading for each metric and time: the first stands, and others with another value are refused."""
    if len({time_us for _, time_us, _ in readings}) == entries:  # the usual case: each entry has a time of its own
        return readings
    first: dict[tuple[int, int], float] = {}
    others = sum(first.setdefault((metric, time_us), value) != value for metric, time_us, value in readings)
    if others:
        told = f"{others} of {len(readings)} readings have the ts of another one before them, and another value"
        refused.append(Rejected("same_time", f"{told}; give each its own ts, in milliseconds"))
    return [(metric, time_us, value) for (metric, time_us), value in first.items()]


def few_days(readings: list[Reading], days_max: int, refused: list[Rejected]) -> list[Reading]:
    """The readings of the first UTC days; those of further days are refused."""
    days: set[int] = set()
    taken: list[Reading] = []
    for reading in readings:
        day = reading[1] // _DAY_US
        if day in days or len(days) < days_max:
            days.add(day)
            taken.append(reading)
    if len(taken) < len(readings):
        told = f"{len(readings) - len(taken)} readings are of further days than {days_max}"
        refused.append(Rejected("too_many_days", f"{told}; send the days in several messages"))
    return taken
