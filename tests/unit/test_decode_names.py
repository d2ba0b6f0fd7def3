"""Fields under other names: those that come near to `ts` and `firmware` are refused, all others ignored and named."""

import orjson
import pytest

from gateway.m2m.decoders import decode
from gateway.m2m.message import Rejected
from tests.unit.test_decode import DEVICE, LIMITS, NOW_MS, NOW_US, TEMP, entry, message, status


def decoded(content):
    return decode(message(orjson.dumps(content)), DEVICE, LIMITS)


@pytest.mark.parametrize("name", ["time", "timestamp", "Ts", "TS", "t", "date", "time_ms", "dateTime", "measured-at"])
def test_a_time_under_another_name_is_refused_and_not_taken_as_of_now(name: str):
    readings, _, refused, ignored, _ = decoded({name: NOW_MS - 86_400_000, "values": {"temp_c": 140}})
    assert readings == []
    assert refused == Rejected("bad_time", f"{name} is not read, and there is no ts; call it ts")
    assert ignored == (name,)


def test_a_time_under_another_name_refuses_its_entry_and_no_other():
    readings, _, refused, *_ = decoded([entry(1), {"time": NOW_MS, "values": {"temp_c": 2}}])
    assert [value for _, _, value in readings] == [1]
    assert refused
    assert refused.detail.endswith("call it ts")


def test_with_ts_another_time_is_a_name_like_any_other():
    readings, _, refused, ignored, _ = decoded(entry(time=5, uptime=6))
    assert (readings, refused) == ([(TEMP, NOW_MS * 1000, 71.5)], None)
    assert ignored == ("time", "uptime")


def test_a_name_without_a_value_is_no_time():
    readings, _, refused, *_ = decoded({"time": None, "values": {"temp_c": 20}})
    assert (readings, refused) == ([(TEMP, NOW_US, 20.0)], None)


def test_what_the_contract_names_is_not_ignored():
    """Also where the product asks for no receipts."""
    assert decoded(entry(seq=1, boot=2, **{"from": 1})).ignored == ()


def test_ignored_names_are_few_short_and_can_be_shown():
    content = [entry(ts=NOW_MS + n, **{f"field {n}\n" + "x" * 100: 1}) for n in range(5)] * 1
    names = decoded(content).ignored
    assert len(names) == 5
    many = decoded(entry(**{f"field {n}": n for n in range(40)})).ignored
    assert many == tuple(f"field {n}" for n in range(10))
    assert all(len(name) == 40 and name.isprintable() for name in names)


@pytest.mark.parametrize("name", ["fw_version", "version", "fw", "Firmware", "firmwareVersion", "sw_version"])
def test_a_version_under_another_name_is_refused(name: str):
    taken = status(orjson.dumps({"state": "online", name: "2.4.0"}))
    assert taken.rejected == Rejected("bad_firmware", f"{name} is not read, and there is no firmware; call it firmware")


def test_other_fields_of_a_status_are_ignored_and_named():
    taken = status(orjson.dumps({"firmware": "2.4.0", "fw": "2.4", "rssi": -70}))
    assert (taken.firmware, taken.ignored) == ("2.4.0", ("fw", "rssi"))
