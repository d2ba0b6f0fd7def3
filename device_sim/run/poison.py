"""The kinds of messages that the gateway must refuse, with the expected reasons."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from device_sim.times import DAY
from device_sim.units import Unit

_TOO_LARGE = 70_000  # bytes; the default limit of the gateway is 65,536
_DEEP = 5_000
_HUGE = 30_000

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Dose:
    """One poisonous message; `reason` is None for a topic that the gateway does not subscribe to."""

    topic: str
    payload: bytes
    reason: str | None


Make = Callable[[Unit, int, Values], Dose]


def _kind(reason: str, payload: Callable[[int, Values], bytes]) -> Make:
    return lambda unit, ts, values: Dose(unit.topic, payload(ts, values), reason)


def _elsewhere(reason: str | None, topic: Callable[[Unit], str]) -> Make:
    return lambda unit, ts, values: Dose(topic(unit), _message(ts, values), reason)


def _message(ts: object, values: Mapping[str, object]) -> bytes:
    return json.dumps({"ts": ts, "values": values}, separators=(",", ":")).encode()


def _first(ts: int, values: Values, value: object) -> bytes:
    """Returns a message with the first metric only, with this value."""
    return _message(ts, {next(iter(values)): value})


KINDS: dict[str, Make] = {
    "bad-json": _kind("bad_json", lambda ts, values: _message(ts, values)[:-2]),
    "not-utf-8": _kind("bad_json", lambda ts, values: b"\xff\xfe" + _message(ts, values)),
    "no-payload": _kind("bad_json", lambda _ts, _values: b""),
    "nan": _kind("bad_json", lambda ts, values: _first(ts, values, float("nan"))),
    "infinity": _kind("bad_json", lambda ts, values: _first(ts, values, float("inf"))),
    "deep-nesting": _kind("bad_json", lambda _ts, _values: b"[" * _DEEP + b"]" * _DEEP),
    "wrong-shape": _kind("bad_shape", lambda _ts, values: json.dumps(dict(values)).encode()),
    "huge-list": _kind("bad_shape", lambda _ts, _values: b"[" + b"0," * (_HUGE - 1) + b"0]"),
    "empty": _kind("empty", lambda _ts, _values: b"[]"),
    "no-values": _kind("empty", lambda ts, _values: _message(ts, {})),
    "unknown-metric": _kind("unknown_metric", lambda ts, _values: _message(ts, {"no_such_metric": 1.5})),
    "string-number": _kind("not_a_number", lambda ts, values: _first(ts, values, "71.5")),
    "boolean": _kind("not_a_number", lambda ts, values: _first(ts, values, value=True)),
    "out-of-range": _kind("out_of_range", lambda ts, values: _first(ts, values, 1e12)),
    "bad-time": _kind("bad_time", lambda _ts, values: _message("yesterday", values)),
    "far-future": _kind("future_time", lambda ts, values: _message(ts + DAY, values)),
    "too-old": _kind("too_old", lambda ts, values: _message(ts // 1_000, values)),  # seconds for milliseconds
    "too-large": _kind("too_large", lambda ts, values: _message(ts, values)[:-1] + b" " * _TOO_LARGE + b"}"),
    "unknown-serial": _elsewhere("unknown_unit", lambda unit: f"m2m/v1/{unit.product}/NOBODYS-{unit.serial}/telemetry"),
    "unknown-product": _elsewhere("unknown_product", lambda unit: f"m2m/v1/no-such-product/{unit.serial}/telemetry"),
    "bad-serial": _elsewhere("bad_topic", lambda unit: f"m2m/v1/{unit.product}/{unit.serial}?/telemetry"),
    "wrong-topic": _elsewhere(None, lambda unit: f"m2m/v1/{unit.product}/{unit.serial}/telemetries"),
}
