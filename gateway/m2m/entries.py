"""Checks across the entries of one message: entries without a time, two readings of one time, too many days."""

from typing import Any

from gateway.m2m.message import Reading, Rejected
from gateway.m2m.names import near_ts

_DAY_US = 86_400_000_000


def timed(entries: list[Any], refused: list[Rejected]) -> list[Any]:
    """Refuse all entries without `ts` when two of them have the same metric: only one of the two can be of now."""
    untimed = [entry for entry in entries if type(entry) is dict and entry.get("ts") is None]
    if len(untimed) < 2:
        return entries
    # Entries that are refused for another reason get that reason.
    untimed = [entry for entry in untimed if isinstance(entry.get("values"), dict) and near_ts(entry) is None]
    names = [name for entry in untimed for name in entry["values"]]
    if len(set(names)) == len(names):
        return entries
    refused.append(Rejected("no_time", f"{len(untimed)} entries without ts; give each its ts"))
    refused_ids = set(map(id, untimed))
    return [entry for entry in entries if id(entry) not in refused_ids]


def distinct(readings: list[Reading], entries: int, refused: list[Rejected]) -> list[Reading]:
    """Keep the first reading of each metric and time; further ones with another value are refused."""
    if len({time_us for _, time_us, _ in readings}) == entries:  # the usual case: every entry has another time
        return readings
    kept: dict[tuple[int, int], float] = {}
    contradictions = sum(kept.setdefault((metric, time_us), value) != value for metric, time_us, value in readings)
    if contradictions:
        detail = (
            f"{contradictions} of {len(readings)} readings have the ts of another one before them, and another value"
        )
        refused.append(Rejected("same_time", f"{detail}; give each its own ts, in milliseconds"))
    return [(metric, time_us, value) for (metric, time_us), value in kept.items()]


def few_days(readings: list[Reading], days_max: int, refused: list[Rejected]) -> list[Reading]:
    """Keep the readings of the first UTC days; those of further days are refused."""
    days: set[int] = set()
    kept: list[Reading] = []
    for reading in readings:
        day = reading[1] // _DAY_US
        if day in days or len(days) < days_max:
            days.add(day)
            kept.append(reading)
    if len(kept) < len(readings):
        detail = f"{len(readings) - len(kept)} readings are of further days than {days_max}"
        refused.append(Rejected("too_many_days", f"{detail}; send the days in several messages"))
    return kept
