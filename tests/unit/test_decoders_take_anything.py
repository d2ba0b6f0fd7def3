"""Whatever bytes and topics come, each decoder answers a value or a Rejected: it never raises, and is bounded.

`make fuzz` runs the same with many more examples, nightly.
"""

import math
import os
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.clock import from_us
from gateway.ingest.batch import decode_batch
from gateway.m2m.decoders import DECODERS, decode
from gateway.m2m.decoders.status import FIRMWARE_MAX
from gateway.m2m.device import Device, DeviceMetric, Limits
from gateway.m2m.message import Message, Rejected
from gateway.m2m.topics import DeviceKey, parse_topic

EXAMPLES = int(os.environ.get("GATEWAY_TEST_FUZZ", "200"))
DEVICE = Device(7, 2, {"temp_c": DeviceMetric(3, -40, 200), "pressure_bar": DeviceMetric(1, 0, 10)})
COUNTING = replace(DEVICE, receipts=True)
LIMITS = Limits(payload_bytes=65_536, readings=5_000, ahead_us=600_000_000, behind_us=400 * 86_400_000_000)
NOW_US = 1_790_000_000_123_457
NOW_MS = NOW_US // 1000
DETAIL_MAX = 2_000
"""Characters; longer words of a device would fill the log and the table."""

fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])

GOOD = (
    b'{"ts": %d, "values": {"temp_c": 71.5, "pressure_bar": 2}}' % NOW_MS,
    b'[{"ts": "2026-09-21T14:13:20.123Z", "values": {"temp_c": 1}}, {"values": {"temp_c": 2}}]',
    b'{"state": "online", "firmware": "2.4.0"}',
    b'{"ts": %d, "boot": 3, "seq": 17, "from": 9, "values": {"temp_c": 71.5}}' % NOW_MS,
)
PIECES = (b"1e400", b"-0.0", b'"\\ud800"', b"\xed\xa0\x80", b"\\u0000", b"9" * 40, b"[" * 40, b"null", b'"0001-01-01"')
TIMES = (b'"0001-01-01T00:00:00+23:59"', b'"9999-12-31T23:59:59.999999-23:59"', b"1.7976931348623157e308", b"-1e308")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good message with pieces cut out, put in and written over."""
    payload = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(payload)))
        length = draw(st.integers(0, 12))
        payload[at : at + length] = draw(st.binary(max_size=8) | st.sampled_from(PIECES + TIMES))
    return bytes(payload)


def retimed(ts: bytes) -> bytes:
    return b'{"ts": %s, "values": {"temp_c": 20}}' % ts


payloads = st.binary(max_size=300) | mutated() | st.sampled_from(TIMES).map(retimed)
topics = (
    st.text(max_size=60)
    | st.from_regex(r"m2m/v1/[^/]{0,12}/[^/]{0,70}/(telemetry|status)", fullmatch=True)
    | st.sampled_from(["m2m/v1/pump/P1/telemetry", "m2m/v1/pump/P1/status"])
)


def message(payload: bytes, topic: str = "m2m/v1/pump/P1/telemetry") -> Message:
    return Message(topic, payload, 1, 1, resumed=False, received_us=NOW_US)


def is_well_formed(rejected: Rejected) -> bool:
    return bool(rejected.reason.isidentifier() and rejected.detail) and len(rejected.detail) <= DETAIL_MAX


@fuzzed
@given(payloads)
def test_telemetry_is_readings_or_a_reason(payload: bytes):
    readings, _, refused, *_ = decode(message(payload), DEVICE, LIMITS)
    assert readings or refused
    assert refused is None or is_well_formed(refused)
    for metric, time_us, value in readings:
        assert metric in {1, 3}
        assert math.isfinite(value)
        assert NOW_US - LIMITS.behind_us <= time_us <= NOW_US + LIMITS.ahead_us
        from_us(time_us)


@fuzzed
@given(payloads)
def test_numbers_are_whole_and_what_the_database_can_hold(payload: bytes):
    _, numbers, refused, *_ = decode(message(payload), COUNTING, LIMITS)
    assert refused is None or is_well_formed(refused)
    for boot, seq, lowest in numbers:
        assert 0 <= boot < 2**53
        assert 1 <= lowest <= seq < 2**53


@fuzzed
@given(payloads)
def test_a_status_is_a_firmware_or_none_or_a_reason(payload: bytes):
    taken = decode(message(payload, "m2m/v1/pump/P1/status"), DEVICE, LIMITS)
    if taken.rejected:
        assert is_well_formed(taken.rejected)
    elif taken.firmware is not None:
        assert 1 <= len(taken.firmware) <= FIRMWARE_MAX
        assert taken.firmware.isprintable()


@fuzzed
@given(topics)
def test_a_topic_is_a_device_or_a_reason(topic: str):
    found = parse_topic(topic)
    if isinstance(found, Rejected):
        assert is_well_formed(found)
    else:
        assert isinstance(found, DeviceKey)
        assert parse_topic(f"m2m/v1/{found.product}/{found.serial}/telemetry") == found, "canonical stays canonical"


@fuzzed
@given(st.lists(st.tuples(topics, payloads), min_size=1, max_size=8))
def test_a_batch_of_anything_becomes_columns(given_messages: list[tuple[str, bytes]]):
    messages = [message(payload, topic) for topic, payload in given_messages]
    devices = {
        topic: found if isinstance(found := parse_topic(topic), Rejected) else COUNTING for topic, _ in given_messages
    }
    batch = decode_batch(messages, devices, LIMITS, b"")
    assert np.isfinite(batch.readings.value).all()
    assert len(batch.readings.days()) <= len(batch.readings)
    answered = {id(each) for each, _ in batch.refused} | {id(each.message) for each in batch.heard}
    assert answered == {id(each) for each in messages}, "none is passed over"


LARGEST = {
    "nesting": b"[" * 65_536,
    "closed nesting": b"[" * 32_768 + b"]" * 32_768,
    "unknown metrics": orjson.dumps({"values": {f"x{number}": 1 for number in range(6_000)}}),
    "one long name": orjson.dumps({"values": {"x" * 65_000: 1}}),
    "wrong entries": b"[" + b"0," * 32_700 + b"0]",
    "empty entries": b"[" + b"{}," * 21_000 + b"{}]",
    "a long time": b'{"ts": "2024-01-01T00:00:00.%s+00:00", "values": {"temp_c": 1}}' % (b"1" * 65_000),
    "a long number": b'{"ts": %s, "values": {"temp_c": 1}}' % (b"1" * 65_000),
    "a long value": b'{"values": {"temp_c": %s}}' % (b"9" * 65_000),
    "a long text": orjson.dumps({"ts": "9" * 65_000, "values": {"temp_c": 1}}),
    "numbers": b"[" + b'{"seq":9},' * 6_500 + b'{"seq":9}]',
    "a long firmware": orjson.dumps({"firmware": "9" * 65_000}),
}


@pytest.mark.parametrize("payload", LARGEST.values(), ids=LARGEST.keys())
def test_the_largest_messages_take_little_time_and_memory(payload: bytes):
    assert len(payload) <= LIMITS.payload_bytes
    tracemalloc.start()
    began = time.process_time()
    try:
        refused = [decode(message(payload, f"m2m/v1/pump/P1/{level}"), COUNTING, LIMITS).rejected for level in DECODERS]
        spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(is_well_formed(each) for each in refused if each)
    assert spent < 2, "seconds of this process; a thousandth is usual"
    assert peak < 64 * 2**20


@pytest.mark.parametrize("topic", ["x" * 65_000, "m2m/v1/pump/" + "é" * 30_000 + "/status", "m2m/v1/" + "/" * 60_000])
def test_the_longest_topics_are_refused_in_few_words(topic: str):
    found = parse_topic(topic)
    assert isinstance(found, Rejected)
    assert is_well_formed(found)
