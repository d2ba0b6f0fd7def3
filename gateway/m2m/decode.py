"""A payload becomes readings, numbers or a firmware; what cannot be read becomes Rejected, never an exception."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.m2m import names, within
from gateway.m2m.counted import Number
from gateway.m2m.message import Message, Reading, Rejected
from gateway.m2m.times import microseconds


@dataclass(frozen=True, slots=True)
class DeviceMetric:
    """A metric a device may send: its number and what is physically possible."""

    id: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Device:
    """The MQTT side of a unit."""

    unit_id: int
    product_id: int
    metrics: Mapping[str, DeviceMetric]
    receipts: bool = False
    """Whether its numbers are read."""
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too much: bytes, readings, microseconds ahead of and behind the gateway's clock, UTC days."""

    payload_bytes: int
    readings: int
    ahead_us: int
    behind_us: int
    days: int = 31
    """Of one message."""
    batch_readings: int = 50_000
    """A batch is closed by the message that brings it to so many."""


FIRMWARE_MAX = 40
"""Characters of a firmware's name."""

NUMBER_MAX = 2**53 - 1
"""The highest whole number that every JSON reader knows exactly."""

BOOT_MAX = 4_102_444_800_000
"""Milliseconds since 1970 in the year 2100."""
BOOT_GAP = range(4_000_000_001, 1_000_000_000_000)
"""No boot: above any count of starts and seconds since 1970 before 2096, below milliseconds after 2001. Memory that was
erased (32 bits) stands here.
"""


Decoded = tuple[list[Reading], Sequence[Number], Rejected | None, Sequence[str]]
"""Readings, numbers, why the rest cannot be taken, and the names of fields that were ignored."""


def decode(message: Message, device: Device, limits: Limits) -> Decoded:
    """The readings of a message that can be taken, its numbers, why the rest cannot be taken, and what was ignored.

    Payload: {"ts": <ms since 1970, or RFC 3339>, "values": {"temp_c": 71.5}}, or a list of those; without `ts` it means
    now. A device that gets receipts may add {"boot": 3, "seq": 17, "from": 9}.
    """
    content = _content(message, limits)
    if isinstance(content, Rejected):
        return [], (), content, ()
    entries = content if isinstance(content, list) else [content]
    readings: list[Reading] = []
    numbers: Sequence[Number] = ()
    refused: list[Rejected] = []
    ignored: list[str] = []
    if not entries:
        refused.append(Rejected("empty", "the list holds no readings"))
    if device.receipts:
        entries, numbers = _numbered(entries, refused)
    if several := len(entries) > 1:
        entries = within.timed(entries, refused)
    for entry in entries:
        _entry(entry, message, device, limits, readings, refused, ignored)
        if len(readings) > limits.readings:
            return (
                [],
                numbers,
                Rejected("too_many_readings", f"send {limits.readings} readings at most in one message"),
                (),
            )
    if several:
        readings = within.distinct(readings, len(entries), refused)
        if len(entries) > limits.days:
            readings = within.few_days(readings, limits.days, refused)
    return readings, numbers, _joined(refused), names.shown(ignored) if ignored else ()


def decode_status(message: Message, limits: Limits) -> tuple[str | Rejected | None, Sequence[str]]:
    """The firmware that a status message reports, None when it reports none, or why it cannot be taken; and what was
    ignored.

    Payload: {"state": "online", "firmware": "2.4.0"}. Other fields are ignored, for now `state` too. Nothing at all is
    how a retained message is taken back.
    """
    if not message.payload:
        return None, ()
    content = _content(message, limits)
    if isinstance(content, Rejected):
        return content, ()
    if not isinstance(content, dict):
        return Rejected("bad_shape", 'write {"state": "online", "firmware": "2.4.0"}'), ()
    ignored = names.shown(names.ignored(content, names.STATUS))
    firmware = content.get("firmware")
    if firmware is None:
        return names.near_firmware(content), ignored
    if not isinstance(firmware, str) or not 1 <= len(firmware) <= FIRMWARE_MAX or not firmware.isprintable():
        return Rejected("bad_firmware", f"send firmware as text of 1 to {FIRMWARE_MAX} printable characters"), ignored
    return firmware, ignored


def _content(message: Message, limits: Limits) -> Any:  # noqa: ANN401 - whatever JSON can hold, or Rejected
    if len(message.payload) > limits.payload_bytes:
        size = len(message.payload)
        return Rejected("too_large", f"{size} bytes; send {limits.payload_bytes} at most in one message")
    try:
        return orjson.loads(message.payload)
    except orjson.JSONDecodeError as error:
        return Rejected("bad_json", str(error))


def _numbered(entries: list[Any], refused: list[Rejected]) -> tuple[list[Any], list[Number]]:
    """The entries without those that are numbered wrongly, and the numbers of all that have one."""
    good: list[Any] = []
    numbers: list[Number] = []
    for entry in entries:
        number = _number(entry) if isinstance(entry, dict) else None
        if isinstance(number, Rejected):
            refused.append(number)
            continue
        good.append(entry)
        if number:
            numbers.append(number)
    return good, numbers


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
    time_us = _time(ts, message.received_us, limits)
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


def _time(ts: Any, received_us: int, limits: Limits) -> int | Rejected:  # noqa: ANN401 - whatever JSON can hold
    if ts is None:
        return received_us
    time_us = microseconds(ts)
    if isinstance(time_us, Rejected):
        return time_us
    if time_us > received_us + limits.ahead_us:
        return Rejected("future_time", f"ts is {(time_us - received_us) / 1e6:.0f} s ahead; set the device's clock")
    if time_us < received_us - limits.behind_us:
        return Rejected(
            "too_old", f"ts is {str(ts)[:40]}; send milliseconds (not seconds) since 1970, within what is kept"
        )
    return time_us


def _joined(refused: list[Rejected]) -> Rejected | None:
    """One value for a message: counted by its first reason, telling up to five."""
    if not refused:
        return None
    more = f" (and {len(refused) - 5} more)" if len(refused) > 5 else ""
    return Rejected(refused[0].reason, "; ".join(each.detail for each in refused[:5]) + more)
