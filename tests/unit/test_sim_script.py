"""What a run sends follows from scenario, units, seed and start; each trouble has its own shape."""

import json
from collections import Counter, defaultdict

import pytest

from device_sim.errors import SimError
from device_sim.run.poison import KINDS
from device_sim.run.scenario import load, parse, shipped
from device_sim.run.script import Script
from device_sim.units import Unit
from gateway.m2m.decoders import decode
from gateway.m2m.device import Device, DeviceMetric, Limits
from gateway.m2m.message import Message, Rejected
from gateway.m2m.topics import parse_topic

START = 1_700_000_000_000
UNITS = [Unit(product, f"S{number}") for number in range(20) for product in ("hp-90", "rm-500", "ac-24")]


def script(troubles: str = "", faults: str = "", *, seed=1, duration=10_000, units=UNITS, **changes) -> Script:
    fields = {"every": "500ms"} | changes
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    text = f"name: test\nabout: Test.\n{head}troubles: [{troubles}]\nfaults: [{faults}]\n"
    return Script(parse(text, "test"), units, seed, START, duration)


def sending_rows(made: Script) -> list[tuple]:
    return [(each.number, each.due, each.topic, each.payload, each.kind, each.refused) for each in made.sendings()]


def by_device(made: Script):
    found = defaultdict(list)
    for sending in made.sendings():
        found[sending.device].append(sending)
    return found


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_same_seed_gives_the_same_messages_and_acts_and_another_seed_others(name):
    def play(seed):
        made = Script(load(name), UNITS, seed, START, 6_000)
        return sending_rows(made), made.acts(), made.expected

    assert play(7) == play(7)
    assert play(7)[0] != play(8)[0]


def test_a_unit_has_the_same_readings_with_and_without_the_others():
    few = [unit for unit in UNITS if unit.product == "hp-90"][:2]
    alone = {(each.topic, each.ts): each.values for each in script(units=few).sendings()}
    together = {(each.topic, each.ts): each.values for each in script().sendings()}
    assert alone.items() <= together.items()


def test_with_receipts_each_device_numbers_what_it_measures_and_all_else_stays_as_it_is():
    """A late message has the number of its moment, a copy that of the first; poison is no message of the device's."""
    troubles = "{kind: late, share: 30%}, {kind: duplicate, share: 30%}, {kind: conflict, share: 20%}, {kind: poison}"
    made = by_device(script(troubles, receipts="true"))
    assert sending_rows(script(troubles, receipts="true")) == sending_rows(script(troubles))
    assert {each.seq for each in script(troubles).sendings()} == {0}
    for sendings in made.values():
        numbered = {each.seq: each for each in sendings if each.kind != "duplicate" and each.seq}
        assert sorted(numbered) == list(range(1, len(numbered) + 1))
        assert [numbered[seq].ts for seq in sorted(numbered)] == sorted(each.ts for each in numbered.values())
        for each in sendings:
            assert (each.seq > 0) == bool(each.values)
            assert each.kind != "duplicate" or each.payload == numbered[each.seq].payload


def test_messages_come_in_the_order_they_are_due_and_are_numbered():
    made = script("{kind: late, share: 30%}, {kind: duplicate, share: 30%}, {kind: poison}")
    sendings = list(made.sendings())
    assert [each.number for each in sendings] == list(range(1, len(sendings) + 1))
    assert [each.due for each in sendings] == sorted(each.due for each in sendings)


def test_late_ones_keep_their_time_and_come_behind_newer_ones():
    made = script("{kind: late, units: 50%, share: 20%, by: 1s..5s}")
    late = [each for each in made.sendings() if each.kind == "late"]
    assert 0.05 < len(late) / (20 * 60) < 0.15
    assert all(1_000 <= START + each.due - each.ts <= 5_000 for each in late)
    assert len({each.device for each in late}) == 30
    assert len({(each.device, each.ts) for each in made.sendings()}) == 20 * 60, "none is lost or doubled"


def test_duplicates_are_the_same_bytes_and_conflicts_the_same_time_with_other_values():
    made = script("{kind: duplicate, share: 10%, copies: 2}, {kind: conflict, units: 10, share: 50%}")
    first = {(each.device, each.ts): each for each in made.sendings() if each.kind == "reading"}
    copies, conflicts = Counter(), 0
    for each in made.sendings():
        original = first[each.device, each.ts]
        if each.kind == "duplicate":
            copies[each.device, each.ts] += 1
            assert each.payload == original.payload
        if each.kind == "conflict":
            conflicts += 1
            mine, other = json.loads(each.values), json.loads(original.values)
            assert mine.keys() == other.keys()
            assert all(mine[name] != other[name] for name in mine)
    assert set(copies.values()) == {2}
    assert 0.3 < conflicts / (10 * 20) < 0.7


def test_offline_units_are_away_from_the_start_and_bring_hours_of_readings():
    made = script("{kind: offline, units: 25%, for: 30%, before: 1h, every: 10s}")
    backlog = [each for each in made.sendings() if each.kind == "backlog"]
    away = {each.device for each in backlog}
    assert len(away) == 15
    assert Counter(each.device for each in backlog) == dict.fromkeys(away, 360)
    for sendings in by_device(made).values():
        times = [each.ts for each in sendings]
        assert times == sorted(times), "a buffer is sent in the order it was measured"
    ups = {act.device: act.at for act in made.acts() if act.do == "up"}
    assert {device for device, at in ups.items() if at == 3_000} == away


def test_clocks_are_skewed_set_and_lost():
    skewed = by_device(script("{kind: skew, units: 50%, by: 1m..2m}"))
    ahead = [sendings[0].ts - START - sendings[0].due for sendings in skewed.values()]
    assert sum(60_000 <= by <= 120_000 for by in ahead) == 30
    assert sum(by == 0 for by in ahead) == 30

    drifting = by_device(script("{kind: skew, by: 0s, drift: 1h}"))[0]
    assert drifting[-1].ts - START - drifting[-1].due == drifting[-1].due

    jumped = by_device(script("{kind: jump, at: 50%, by: -3s}"))[0]
    times = [each.ts for each in jumped]
    assert times != sorted(times)
    assert len(times) - len(set(times)) == 6, "three seconds come twice"

    lost = [each for each in by_device(script("{kind: lost-clock, for: 2s}"))[0] if each.kind == "lost-clock"]
    assert [each.refused for each in lost] == ["too_old"] * 4
    assert all(json.loads(each.payload)["ts"] < 10_000 for each in lost)


def test_storms_and_half_open_connections_end_with_a_new_connection():
    made = script("{kind: storm, at: 2s, for: 1s, within: 500ms, times: 3, pause: 2s}")
    acts = [(act.at, act.do) for act in made.acts() if act.device == 5]
    assert [do for _, do in acts] == ["up", *["deaf", "vanish", "up"] * 3]
    assert [at for at, do in acts if do == "vanish"] == [2_000, 4_000, 6_000]
    assert all(3_000 <= act.at <= 3_500 for act in made.acts() if act.do == "up" and 0 < act.at < 4_000)
    for how in ("deaf", "mute", "vanish"):
        made = script(f"{{kind: half-open, units: 1, at: 2s, for: 3s, how: {how}}}")
        assert [(act.at, act.do) for act in made.acts() if act.at] == [(2_000, how), (5_000, "up")]


def test_faults_are_in_the_values_and_in_the_truth_at_the_devices_own_time():
    made = script("{kind: skew, by: 30s}", "{fault: pressure-loss, units: 2, at: 20%, for: 50%}")
    assert [(each.begin - START, each.end - START) for each in made.expected] == [(32_000, 37_000)] * 2
    faulty = {each.unit for each in made.expected}
    for sendings in by_device(made).values():
        unit = made.units[sendings[0].device]
        low = [each.ts for each in sendings if json.loads(each.values).get("water_pressure_bar", 9) < 1.0]
        assert bool(low) == (unit in faulty)
        assert all(START + 32_000 < ts < START + 38_000 for ts in low)


def test_faults_go_where_they_can_be_found():
    made = script("{kind: jump, units: 95%, at: 1s, by: -5s}", "{fault: silence, units: 3, at: 1s, for: 1s}")
    jumping = {act for act, clock in enumerate(made.clocks) if clock.is_set}
    assert len(made.expected) == 3
    assert all(made.units.index(each.unit) not in jumping for each in made.expected)
    with pytest.raises(SimError, match="no unit of this fleet can have fault 1"):
        script("", "{fault: pressure-loss, at: -1h, for: 1m}")


def test_units_are_taken_in_turn_from_each_product():
    made = script(limit=6)
    assert [unit.product for unit in made.units] == ["hp-90", "rm-500", "ac-24"] * 2
    with pytest.raises(SimError, match="no unit of this fleet is named 'hp-91"):
        script("{kind: late, units: ['hp-91/*']}")


# -- Poison, against what the gateway says of it --------------------------------------------------------------------

LIMITS = Limits(payload_bytes=65_536, readings=5_000, ahead_us=600_000_000, behind_us=400 * 86_400_000_000)
PUMP = Device(1, 1, {"water_pressure_bar": DeviceMetric(1, 0, 6), "flow_temp_c": DeviceMetric(2, -30, 110)})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_poison_is_refused_for_the_reason_it_claims(kind):
    dose = KINDS[kind](UNITS[0], START, {"water_pressure_bar": 1.5, "flow_temp_c": 40.0})
    named = parse_topic(dose.topic)
    if kind == "wrong-topic":
        assert dose.reason is None
        assert dose.topic.split("/")[-1] != "telemetry", "the gateway's filter does not match it"
    elif kind in ("unknown-serial", "unknown-product"):
        assert (named.product, named.serial) != (UNITS[0].product, UNITS[0].serial)
        assert dose.reason == kind.replace("serial", "unit").replace("-", "_")
    elif kind == "bad-serial":
        assert isinstance(named, Rejected)
        assert named.reason == dose.reason
    else:
        readings, _, refused, *_ = decode(Message(dose.topic, dose.payload, 1, 1, False, START * 1_000), PUMP, LIMITS)
        assert (list(readings), refused.reason) == ([], dose.reason)


def test_poison_goes_out_beside_the_good_ones_every_kind_in_turn():
    made = script("{kind: poison, share: 20%}")
    found = list(made.sendings())
    assert {each.kind for each in found} == {"reading", *KINDS}
    assert sum(each.kind == "reading" for each in found) == 20 * 60
    assert all(each.values == b"" for each in found if each.kind != "reading")
