"""Telemetry in JSON: readings, and the numbers of devices that get receipts."""

from typing import Any

from gateway.m2m import names
from gateway.m2m.counted import Number
from gateway.m2m.decoders.content import json_content
from gateway.m2m.device import Device, Limits
from gateway.m2m.entries import distinct, few_days, timed
from gateway.m2m.message import Decoded, Message, Reading, Rejected
from gateway.m2m.times import microseconds

NUMBER_MAX = 2**53 - 1
"""The highest integer that every JSON parser reads exactly."""

BOOT_MAX = 4_102_444_800_000
"""The year 2100 in milliseconds since 1970."""
BOOT_GAP = range(4_000_000_001, 1_000_000_000_000)
"""Not valid as boot: above every count of starts and every time in seconds before 2096, below milliseconds after 2001.
Erased memory (32 bits set) reads as a number in this range.
"""


def decode(message: Message, device: Device, limits: Limits) -> Decoded:
    """Returns the accepted readings of a message, its numbers, why other readings are refused, and the ignored names.

    Payload: {"ts": <ms since 1970, or RFC 3339>, "values": {"temp_c": 71.5}}, or a list of those. Without `ts` the time
    is now. A device that gets receipts may add {"boot": 3, "seq": 17, "from": 9}.
    """
    content = json_content(message.payload)
    if isinstance(content, Rejected):
        return Decoded(rejected=content)
    entries = content if isinstance(content, list) else [content]
    readings: list[Reading] = []
    numbers: list[Number] = []
    refused: list[Rejected] = []
    ignored: list[str] = []
    if not entries:
        refused.append(Rejected("empty", "the list holds no readings"))
    if device.receipts:
        entries, numbers = _numbered(entries, refused)
    if several := len(entries) > 1:
        entries = timed(entries, refused)
    for entry in entries:
        _entry(entry, message, device, limits, readings, refused, ignored)
        if len(readings) > limits.readings:
            too_many = Rejected("too_many_readings", f"send {limits.readings} readings at most in one message")
            return Decoded(numbers=numbers, rejected=too_many)
    if several:
        readings = distinct(readings, len(entries), refused)
        if len(entries) > limits.days:
            readings = few_days(readings, limits.days, refused)
    return Decoded(readings, numbers, _joined(refused), names.printable_names(ignored) if ignored else ())


def _numbered(entries: list[Any], refused: list[Rejected]) -> tuple[list[Any], list[Number]]:
    """Returns the entries without those with a wrong number, and the numbers of the others that have one."""
    accepted: list[Any] = []
    numbers: list[Number] = []
    for entry in entries:
        number = _number(entry) if isinstance(entry, dict) else None
        if isinstance(number, Rejected):
            refused.append(number)
            continue
        accepted.append(entry)
        if number:
            numbers.append(number)
    return accepted, numbers


def _number(entry: dict[str, Any]) -> Number | Rejected | None:
    seq, boot, lowest = entry.get("seq"), entry.get("boot"), entry.get("from")
    if seq is None:
        return None
    boot = 0 if boot is None else boot
    lowest = 1 if lowest is None else lowest
    if type(seq) is not int or not 1 <= seq <= NUMBER_MAX:
        return Rejected("bad_seq", "send seq as a whole number from 1, one higher with each message")
    if type(boot) is not int or not 0 <= boot <= BOOT_MAX or boot in BOOT_GAP:
        return Rejected(
            "bad_seq",
            "send boot as a count of starts, or as a time in seconds or milliseconds, higher each time seq begins anew",
        )
    if type(lowest) is not int or not 1 <= lowest <= seq:
        return Rejected("bad_seq", "send from as the lowest seq that the device still holds, seq itself at most")
    return boot, seq, lowest


def _entry(
    entry: Any,  # noqa: ANN401 - whatever JSON can hold
    message: Message,
    device: Device,
    limits: Limits,
    readings: list[Reading],
    refused: list[Rejected],
    ignored: list[str],
) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("values"), dict):
        refused.append(Rejected("bad_shape", 'write {"ts": …, "values": {"metric": number}}'))
        return
    ts = entry.get("ts")
    if (ts is None or len(entry) > 2) and not entry.keys() <= names.TELEMETRY:  # most have ts and values only
        ignored += names.ignored(entry, names.TELEMETRY)
        if ts is None and (near := names.near_ts(entry)):
            refused.append(near)
            return
    time_us = _time(ts, message.received_us, device, limits)
    if isinstance(time_us, Rejected):
        refused.append(time_us)
        return
    if not entry["values"]:
        refused.append(Rejected("empty", "values holds no metric"))
    for name, value in entry["values"].items():
        metric = device.metrics.get(name)
        if metric is None:
            refused.append(Rejected("unknown_metric", f"{name[:64]} is not in the product's registry"))
        elif type(value) is not float and type(value) is not int:
            refused.append(Rejected("not_a_number", f"{name} is {type(value).__name__}; send a number"))
        elif not metric.low <= value <= metric.high:
            refused.append(Rejected("out_of_range", f"{name} is {value}; possible is {metric.low} to {metric.high}"))
        else:
            readings.append((metric.id, time_us, float(value)))


def _time(
    ts: Any,  # noqa: ANN401 - whatever JSON can hold
    received_us: int,
    device: Device,
    limits: Limits,
) -> int | Rejected:
    if ts is None:
        return received_us
    time_us = microseconds(ts)
    if isinstance(time_us, Rejected):
        return time_us
    if time_us > received_us + limits.ahead_us:
        return Rejected("future_time", f"ts is {(time_us - received_us) / 1e6:.0f} s ahead; set the device's clock")
    if time_us < received_us - (limits.behind_us if device.behind_us is None else device.behind_us):
        return Rejected(
            "too_old", f"ts is {str(ts)[:40]}; send milliseconds (not seconds) since 1970, within what is kept"
        )
    return time_us


def _joined(refused: list[Rejected]) -> Rejected | None:
    """Joins refusals into one: it has the first reason, and up to five details."""
    if not refused:
        return None
    suffix = f" (and {len(refused) - 5} more)" if len(refused) > 5 else ""
    return Rejected(refused[0].reason, "; ".join(rejected.detail for rejected in refused[:5]) + suffix)
