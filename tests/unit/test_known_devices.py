"""The devices that ingest remembers by their topics: bounded by units, and by spellings of each."""

from gateway.ingest.devices import SPELLINGS_MAX, KnownDevices
from gateway.m2m.device import Device


def device(unit_id: int) -> Device:
    return Device(unit_id, 1, {})


def test_twenty_thousand_spellings_of_one_serial_are_a_few_entries():
    known = KnownDevices(1_000)
    known.remember("m2m/v1/pump/P2/telemetry", device(2))
    for number in range(20_000):
        known.remember(f"m2m/v1/pump/P{'-' * (number % 60)}{' ' * (number // 60 % 60)}1/{number}", device(1))
    assert len(known) == SPELLINGS_MAX + 1
    assert known.of("m2m/v1/pump/P2/telemetry") == device(2), "nobody else is forgotten for it"


def test_the_newest_spellings_of_a_unit_are_remembered_as_one_device():
    known = KnownDevices(10)
    made = [known.remember(topic, device(1)) for topic in "abcde"]
    assert known.of("a") is None
    assert {id(known.of(topic)) for topic in "bcde"} == {id(made[0])}


def test_of_more_units_than_are_remembered_the_one_known_longest_goes():
    known = KnownDevices(3)
    for unit_id in range(1, 5):
        known.remember(f"{unit_id}/telemetry", device(unit_id))
        known.remember(f"{unit_id}/status", device(unit_id))
    assert known.of("1/telemetry") is None
    assert known.of("1/status") is None
    assert len(known) == 6
