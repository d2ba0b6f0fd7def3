"""A payload becomes readings or a reason; nothing that a device can send raises."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clock import to_us
from gateway.m2m.decoders import DECODERS, decode
from gateway.m2m.decoders.telemetry import BOOT_MAX
from gateway.m2m.device import Device, DeviceMetric, Limits
from gateway.m2m.message import Decoded, Message, Reading, Rejected
from gateway.m2m.topics import STATUS_FILTER, TELEMETRY_FILTER, DeviceKey, last_level, parse_topic

TEMP, PRESSURE = 3, 1
DEVICE = Device(7, 2, {"temp_c": DeviceMetric(TEMP, -40, 200), "pressure_bar": DeviceMetric(PRESSURE, 0, 10)})
HOUR_US = 3_600_000_000
LIMITS = Limits(payload_bytes=2_000, readings=5, ahead_us=600_000_000, behind_us=24 * HOUR_US)
NOW = datetime(2026, 7, 1, 12, 0, 0, 123_457, UTC)
NOW_US = to_us(NOW)
NOW_MS = NOW_US // 1000


def message(payload: bytes, level: str = "telemetry") -> Message:
    return Message(f"m2m/v1/pump/P1/{level}", payload, 1, 1, resumed=False, received_us=NOW_US)


def decoded(content: object) -> tuple[list[Reading], Rejected | None]:
    payload = content if isinstance(content, bytes) else orjson.dumps(content)
    taken = decode(message(payload), DEVICE, LIMITS)
    assert not taken.numbers, "its product asks for no receipts"
    assert taken.firmware is None
    return list(taken.readings), taken.rejected


def entry(value: object = 71.5, **changes: object) -> dict[str, object]:
    return {"ts": NOW_MS, "values": {"temp_c": value}} | changes


def test_what_is_subscribed_to_is_taken_and_has_a_decoder():
    assert {last_level(each) for each in (TELEMETRY_FILTER, STATUS_FILTER)} == set(DECODERS)
    assert all(parse_topic(f"m2m/v1/pump/P1/{level}") == DeviceKey("pump", "P1") for level in DECODERS)
    assert isinstance(parse_topic("m2m/v1/pump/P1/receipt"), Rejected)


def test_a_message_becomes_one_reading_a_metric():
    readings, refused = decoded({"ts": NOW_MS, "values": {"temp_c": 71.5, "pressure_bar": 2}})
    assert readings == [(TEMP, NOW_MS * 1000, 71.5), (PRESSURE, NOW_MS * 1000, 2.0)]
    assert type(readings[1][2]) is float
    assert refused is None


@pytest.mark.parametrize(
    ("ts", "time_us"),
    [
        (NOW_MS, NOW_MS * 1000),
        (NOW_MS - 0.5, NOW_MS * 1000 - 500),
        (float(NOW_MS), NOW_MS * 1000),
        ("2026-07-01T12:00:00Z", NOW_US - 123_457),
        ("2026-07-01T12:00:00.000001Z", NOW_US - 123_456),
        ("2026-07-01T14:00:00.123457+02:00", NOW_US),
        ("2026-06-30T23:30:00-12:30", NOW_US - 123_457),
        (None, NOW_US),
    ],
)
def test_every_way_to_write_a_time_is_exact(ts: object, time_us: int):
    assert decoded(entry(ts=ts)) == ([(TEMP, time_us, 71.5)], None)


def test_a_message_without_a_time_means_the_moment_it_was_received():
    assert decoded({"values": {"temp_c": 1}}) == ([(TEMP, NOW_US, 1.0)], None)


def test_a_list_is_taken_in_its_order_with_each_entry_at_its_own_time():
    readings, refused = decoded([entry(1, ts=NOW_MS), entry(2, ts=NOW_MS - 1000), {"values": {"temp_c": 3}}])
    assert readings == [(TEMP, NOW_MS * 1000, 1.0), (TEMP, NOW_MS * 1000 - 1_000_000, 2.0), (TEMP, NOW_US, 3.0)]
    assert refused is None


@pytest.mark.parametrize(
    ("content", "reason", "told"),
    [
        (b"\xff\xfe", "bad_json", ""),
        (b"", "bad_json", ""),
        (b'{"values": {"temp_c": NaN}}', "bad_json", ""),
        (b"[" * 1_900, "bad_json", ""),
        (b" " * 2_001, "too_large", "2001 bytes; send 2000 at most"),
        ([], "empty", "holds no readings"),
        (entry(values={}), "empty", "holds no metric"),
        ("71.5", "bad_shape", "write {"),
        (None, "bad_shape", "write {"),
        ([[entry()]], "bad_shape", "write {"),
        ({"temp_c": 71.5}, "bad_shape", "write {"),
        (entry(values=[1]), "bad_shape", "write {"),
        (entry(ts="yesterday"), "bad_time", "'yesterday'; send milliseconds"),
        (entry(ts="2026-07-01T12:00:00"), "bad_time", "without a zone"),
        (entry(ts=True), "bad_time", "milliseconds"),
        (entry(ts={}), "bad_time", "milliseconds"),
        (entry(ts=1e300), "future_time", "ahead"),
        (entry(ts=1.7e308), "bad_time", "milliseconds"),
        (entry(ts=-1.7e308), "bad_time", "milliseconds"),
        (entry(ts=NOW_MS + 600_001), "future_time", "600 s ahead"),
        (entry(ts=NOW_MS // 1000), "too_old", "not seconds"),
        (entry(ts="0001-01-01T00:00:00+23:59"), "too_old", "0001"),
        (entry(ts="9999-12-31T23:59:59-23:59"), "future_time", "ahead"),
        (entry(values={"colour": 1}), "unknown_metric", "colour is not in the product's registry"),
        (entry(values={"x" * 500: 1}), "unknown_metric", "x" * 64 + " is not"),
        (entry("hot"), "not_a_number", "temp_c is str; send a number"),
        (entry(True), "not_a_number", "temp_c is bool"),
        (entry(None), "not_a_number", "temp_c is NoneType"),
        (entry([1]), "not_a_number", "temp_c is list"),
        (entry(200.1), "out_of_range", "temp_c is 200.1; possible is -40 to 200"),
        (entry(-40.1), "out_of_range", "-40.1"),
        (entry(2**63), "out_of_range", str(2**63)),
    ],
)
def test_a_message_that_cannot_be_taken_has_a_reason_and_says_what_to_mend(content: object, reason: str, told: str):
    readings, refused = decoded(content)
    assert readings == []
    assert refused is not None
    assert refused.reason == reason
    assert told in refused.detail


@pytest.mark.parametrize("value", [-40, 200])
def test_the_ends_of_what_is_possible_are_possible(value: int):
    assert decoded(entry(value)) == ([(TEMP, NOW_MS * 1000, float(value))], None)


def test_a_time_just_within_the_limits_is_taken():
    for ts in ((NOW_US + LIMITS.ahead_us) // 1000, -(-(NOW_US - LIMITS.behind_us) // 1000)):
        assert decoded(entry(ts=ts)) == ([(TEMP, ts * 1000, 71.5)], None)


def test_what_can_be_taken_of_a_message_is_taken_and_the_rest_is_told():
    readings, refused = decoded([entry(1), entry(ts="?"), {"values": {"temp_c": 999, "colour": 1, "pressure_bar": 2}}])
    assert readings == [(TEMP, NOW_MS * 1000, 1.0), (PRESSURE, NOW_US, 2.0)]
    assert refused is not None
    assert refused.reason == "bad_time", "the first one is what it is counted by"
    assert "temp_c is 999" in refused.detail
    assert "colour is not in" in refused.detail


def test_of_many_problems_five_are_told_and_the_rest_counted():
    _, refused = decoded([entry(None) for _ in range(8)])
    assert refused is not None
    assert refused.detail.count("send a number") == 5
    assert refused.detail.endswith("(and 3 more)")


def test_a_message_with_too_many_readings_is_refused_whole():
    assert decoded([entry(n, ts=NOW_MS + n) for n in range(5)])[1] is None
    readings, refused = decoded([entry(n, ts=NOW_MS + n) for n in range(6)])
    assert readings == []
    assert refused is not None
    assert refused.reason == "too_many_readings"


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    names = st.sampled_from(["ts", "values", "temp_c", "pressure_bar", "x"])
    return st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    nested,
    max_leaves=12,
)
times = (
    st.integers(NOW_MS - 10**8, NOW_MS + 10**7)
    | st.floats(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat)
    | st.text(alphabet="0123456789-+:.TZW ", max_size=26)
    | anything
)
nearly_right = st.builds(
    lambda ts, values: {"ts": ts, "values": values},
    times,
    st.dictionaries(
        st.sampled_from(["temp_c", "pressure_bar", "x"]), st.floats(allow_nan=False) | anything, max_size=3
    ),
)


def assert_valid(payload: bytes) -> None:
    readings, _, refused, *_ = decode(message(payload), DEVICE, LIMITS)
    assert readings or refused
    assert len(readings) <= LIMITS.readings
    for metric, time_us, value in readings:
        assert metric in (TEMP, PRESSURE)
        assert NOW_US - LIMITS.behind_us <= time_us <= NOW_US + LIMITS.ahead_us
        assert -40 <= value <= 200
    if refused:
        assert refused.detail
        assert len(refused.detail) < 5_000


@given(st.binary(max_size=2_100))
def test_no_bytes_raise(payload: bytes):
    assert_valid(payload)


@given(anything)
def test_no_json_raises(content: object):
    assert_valid(json.dumps(content).encode())


@given(st.lists(nearly_right, min_size=1, max_size=6))
def test_nothing_that_looks_nearly_right_raises(content: list[object]):
    """The deep checks of times and values are reached only past the shape."""
    assert_valid(json.dumps(content).encode())


@pytest.mark.parametrize(
    "topic",
    [
        "m2m/v1/pump/P1/state",
        "m2m/v1/pump/P1/status/",
        "m2m/v2/pump/P1/telemetry",
        "m2m/v1/pump/P1/x/telemetry",
        "m2m/v1/pump//telemetry",
        "m2m/v1/pump/P\0/telemetry",
        "m2m/v1/pump/P1" + "-" * 150 + "/telemetry",
        "m2m/v1/" + "x" * 250 + "/P1/telemetry",
        "",
    ],
)
def test_a_topic_of_no_device_has_a_reason(topic: str):
    named = parse_topic(topic)
    assert isinstance(named, Rejected)
    assert named.reason == "bad_topic"


@pytest.mark.parametrize("end", ["telemetry", "status"])
def test_a_topic_names_the_device_by_its_canonical_serial(end: str):
    assert parse_topic(f"m2m/v1/pump/p-1/{end}") == DeviceKey("pump", "P1")


def test_what_is_too_far_ahead_is_counted_from_when_the_message_came():
    an_hour_ago = replace(message(orjson.dumps(entry())), received_us=NOW_US - HOUR_US)
    refused = decode(an_hour_ago, DEVICE, LIMITS).rejected
    assert refused is not None
    assert refused.reason == "future_time"


def status(payload: bytes) -> Decoded:
    taken = decode(message(payload, "status"), DEVICE, LIMITS)
    assert not taken.readings
    assert not taken.numbers
    return taken


def firmware_or_rejected(content: object) -> str | Rejected | None:
    taken = status(content if isinstance(content, bytes) else orjson.dumps(content))
    return taken.rejected or taken.firmware


@pytest.mark.parametrize(
    ("content", "firmware"),
    [
        ({"state": "online", "firmware": "2.4.0"}, "2.4.0"),
        ({"firmware": "2.4.0 (ähnlich)", "state": 5, "colour": {}}, "2.4.0 (ähnlich)"),
        ({"firmware": "x" * 40}, "x" * 40),
        ({"state": "offline"}, None),
        ({"firmware": None}, None),
        ({}, None),
        (b"", None),
    ],
)
def test_a_status_reports_a_firmware_or_none(content: object, firmware: str | None):
    assert firmware_or_rejected(content) == firmware


@pytest.mark.parametrize(
    ("content", "reason", "told"),
    [
        (b"\xff\xfe", "bad_json", ""),
        (b"online", "bad_json", ""),
        (b" " * 2_001, "too_large", "2001 bytes; send 2000 at most"),
        ("online", "bad_shape", 'write {"state"'),
        ([{"firmware": "2.4.0"}], "bad_shape", 'write {"state"'),
        ({"firmware": 2.4}, "bad_firmware", "text of 1 to 40 printable characters"),
        ({"firmware": True}, "bad_firmware", "text"),
        ({"firmware": {"version": "2.4.0"}}, "bad_firmware", "text"),
        ({"firmware": ""}, "bad_firmware", "1 to 40"),
        ({"firmware": "x" * 41}, "bad_firmware", "1 to 40"),
        ({"firmware": "2.4\n"}, "bad_firmware", "printable"),
        ({"firmware": "2\0"}, "bad_firmware", "printable"),
        ({"firmware": "\u202e0.4.2"}, "bad_firmware", "printable"),
    ],
)
def test_a_status_that_cannot_be_taken_has_a_reason(content: object, reason: str, told: str):
    refused = firmware_or_rejected(content)
    assert isinstance(refused, Rejected)
    assert refused.reason == reason
    assert told in refused.detail


@given(
    st.binary(max_size=2_100)
    | anything.map(lambda content: json.dumps(content).encode())
    | st.dictionaries(st.sampled_from(["state", "firmware"]), st.text(max_size=45) | anything, max_size=2).map(
        lambda content: json.dumps(content).encode()
    )
)
def test_no_status_raises_and_what_is_taken_can_be_shown(payload: bytes):
    found = firmware_or_rejected(payload)
    if isinstance(found, Rejected):
        assert found.reason in {"bad_json", "bad_shape", "bad_firmware", "too_large"}
        assert found.detail
    elif found is not None:
        assert json.loads(payload)["firmware"] == found
        assert 1 <= len(found) <= 40
        assert found.isprintable()


# -- Numbers, of a product that asks for receipts -----------------------------------------------------------------


COUNTING = replace(DEVICE, receipts=True)


def numbered(content: object) -> tuple[list[Reading], list[tuple[int, int, int]], str]:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    readings, numbers, refused, *_ = decode(message(payload), COUNTING, LIMITS)
    return list(readings), list(numbers), refused.reason if refused else ""


@pytest.mark.parametrize(
    ("fields", "numbers"),
    [
        ({"seq": 17}, [(0, 17, 1)]),
        ({"seq": 17, "boot": 3}, [(3, 17, 1)]),
        ({"seq": 17, "boot": 3, "from": 9}, [(3, 17, 9)]),
        ({"seq": 17, "boot": None, "from": None}, [(0, 17, 1)]),
        ({"seq": 17, "from": 17}, [(0, 17, 17)]),
        ({"seq": 2**53 - 1, "boot": BOOT_MAX}, [(BOOT_MAX, 2**53 - 1, 1)]),
        ({"seq": 1, "boot": 1_795_928_238_864}, [(1_795_928_238_864, 1, 1)]),  # milliseconds, as simulated devices send
        ({"seq": 1, "boot": 4_000_000_000}, [(4_000_000_000, 1, 1)]),
        ({"seq": None, "boot": "?", "from": "?"}, []),
        ({"boot": 3}, []),
        ({}, []),
    ],
)
def test_a_message_may_carry_its_number(fields, numbers):
    assert numbered(entry(**fields)) == ([(TEMP, NOW_MS * 1000, 71.5)], numbers, "")


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": 0},
        {"seq": -1},
        {"seq": 2**53},
        {"seq": 2**70},
        {"seq": 17.0},
        {"seq": "17"},
        {"seq": True},
        {"seq": [17]},
        {"seq": 17, "boot": -1},
        {"seq": 17, "boot": BOOT_MAX + 1},
        {"seq": 17, "boot": 2**32 - 1},
        {"seq": 17, "boot": 9_007_199_254_740_991},
        {"seq": 17, "boot": 0xFFFFFFFF},
        {"seq": 17, "boot": 2**53},
        {"seq": 17, "boot": True},
        {"seq": 17, "boot": "3"},
        {"seq": 17, "from": 0},
        {"seq": 17, "from": 18},
        {"seq": 17, "from": 1.5},
    ],
)
def test_a_number_that_cannot_be_read_refuses_its_entry_and_no_other(fields):
    good = entry(1, seq=18)
    assert numbered([entry(**fields), good]) == (
        [(TEMP, NOW_MS * 1000, 1.0)],
        [(0, 18, 1)],
        "bad_seq",
    )


def test_what_is_wrong_with_a_number_is_told():
    refused = decode(
        message(orjson.dumps([entry(seq=0), entry(seq=1, boot=-1), entry(seq=1, **{"from": 2})])), COUNTING, LIMITS
    ).rejected
    assert refused is not None
    assert [part.split(" as ")[0] for part in refused.detail.split("; ")] == ["send seq", "send boot", "send from"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (entry(999, seq=1), "out_of_range"),
        (entry(ts="?", seq=1), "bad_time"),
        ({"seq": 1}, "bad_shape"),
        ({"seq": 1, "values": {}}, "empty"),
        ([entry(seq=1)] + [entry(n) for n in range(6)], "too_many_readings"),
    ],
)
def test_what_is_refused_with_a_number_is_counted(content, reason):
    """It stands in quarantine: the device need not send it again."""
    readings, numbers, refused = numbered(content)
    assert (readings, numbers, refused) == ([], [(0, 1, 1)], reason)


def test_every_number_of_a_message_that_is_refused_whole_is_counted():
    content = [entry(n, seq=n) for n in range(1, 9)]
    assert numbered(content) == ([], [(0, n, 1) for n in range(1, 9)], "too_many_readings")


@pytest.mark.parametrize("payload", [b'{"seq": 1, ', b'{"seq": 1}' + b" " * 2_000, b"17", b"[17, [], null]"])
def test_what_cannot_be_read_has_no_number(payload):
    readings, numbers, refused = numbered(payload)
    assert (readings, numbers) == ([], [])
    assert refused


def test_without_receipts_the_fields_are_ignored_as_any_other():
    assert decoded(entry(seq="?", boot=-1)) == ([(TEMP, NOW_MS * 1000, 71.5)], None)
