"""Healthy units stay healthy; faults reach the alarm level in two samples and leave it in three: any seed, any day."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.dice import Dice
from device_sim.faults import CATALOGUE, FaultBook, Plan
from device_sim.fleet import build
from device_sim.times import DAY, HOUR, MINUTE, SECOND, parse_moment
from device_sim.units import Unit

PRODUCTS = Path(__file__).parents[2] / "gateway/demo/data/products"
YEAR_2026 = parse_moment("2026-01-01T00:00:00Z") // 1_000

# (metric, alarm level, clear level) of the demo's rules; pressure alarms below its level, the others above.
RULES = {
    ("hp-90", "pressure-loss"): ("water_pressure_bar", 1.0, 1.2),
    ("hp-90", "overheating"): ("flow_temp_c", 65, 60),
    ("rm-500", "blocked-blade"): ("blade_current_a", 6, 4),
    ("rm-500", "overheating"): ("motor_temp_c", 95, 85),
    ("ac-24", "overheating"): ("motor_temp_c", 110, 95),
    ("ac-24", "bearing-wear"): ("vibration_mm_s", 11, 7),
}
seeds = st.integers(0, 2**64)
moments = st.integers(0, 3 * 365 * DAY).map(lambda since: YEAR_2026 + since)


def declared(product):
    text = (PRODUCTS / f"{product}.yaml").read_text(encoding="utf-8")
    return {metric["name"]: metric for metric in yaml.safe_load(text)["metrics"]}


def device(product, seed, serial="X-1"):
    return build([Unit(product, serial)], seed)[0]


@pytest.mark.parametrize("product", ["hp-90", "rm-500", "ac-24"])
@settings(max_examples=25, deadline=None)
@given(seed=seeds, start=moments)
def test_a_healthy_unit_stays_inside_its_normal_bands_for_a_day(product, seed, start):
    unit, metrics = device(product, seed), declared(product)
    for t in range(start, start + DAY, 11 * MINUTE + 7 * SECOND):
        values = unit.values(t)
        assert list(metrics) == list(values)
        for name, value in values.items():
            low, high = metrics[name].get("normal", metrics[name]["range"])
            assert low <= value <= high, (name, value, t)


@pytest.mark.parametrize(("product", "fault"), RULES)
@settings(max_examples=25, deadline=None)
@given(seed=seeds, t=moments, first=st.integers(0, 999))
def test_a_fault_is_past_the_alarm_level_by_the_second_sample_and_clear_by_the_third_after_it(
    product, fault, seed, t, first
):
    metric, alarm, clear = RULES[product, fault]
    sign = -1 if fault == "pressure-loss" else 1
    unit = device(product, seed)
    book = FaultBook(0, lambda *_: None)
    [kind] = [one for one in CATALOGUE if (one.product, one.name) == (product, fault)]
    book.plan(Plan(unit.unit, kind, at=0, lasts=10 * SECOND))

    def value(elapsed):
        return sign * unit.values(t + elapsed, book.pulls(unit.unit, elapsed))[metric]

    low, high = declared(product)[metric]["range"]
    for elapsed in range(first + SECOND, 10 * SECOND, SECOND):
        assert value(elapsed) > sign * alarm
        assert low <= sign * value(elapsed) <= high
    for elapsed in range(10 * SECOND + first + 2 * SECOND, 20 * SECOND, SECOND):
        assert value(elapsed) < sign * clear


def test_every_product_has_two_faults_of_its_own_and_the_rules_know_them():
    assert set(RULES) == {(fault.product, fault.name) for fault in CATALOGUE}


def test_heat_pumps_work_harder_in_winter():
    def mean(metric, month):
        start = parse_moment(f"2026-{month}-15T00:00:00Z") // 1_000
        return sum(device("hp-90", 1).values(start + hour * HOUR)[metric] for hour in range(24)) / 24

    assert mean("outdoor_temp_c", "01") + 8 < mean("outdoor_temp_c", "07")
    assert mean("flow_temp_c", "01") > mean("flow_temp_c", "07") + 5
    assert mean("power_kw", "01") > 2 * mean("power_kw", "07")


def test_a_mower_rests_full_in_winter_and_mows_and_charges_in_summer():
    winter, summer = (parse_moment(f"2026-{month}-01T00:00:00Z") // 1_000 for month in ("01", "06"))
    mower = device("rm-500", 1)
    resting = [mower.values(t) for t in range(winter, winter + 7 * DAY, HOUR)]
    assert {(100.0, 0.0)} == {(values["battery_pct"], values["blade_current_a"]) for values in resting}
    working = [mower.values(t) for t in range(summer, summer + 3 * DAY, 5 * MINUTE)]
    assert min(values["battery_pct"] for values in working) < 45
    assert max(values["blade_current_a"] for values in working) > 1.5
    warmest = max(working, key=lambda values: values["motor_temp_c"])
    assert warmest["battery_pct"] < 75  # the drive is warmest towards the end of a turn


def test_a_compressor_fills_between_cut_in_and_cut_out_and_vibrates_only_while_it_fills():
    monday = parse_moment("2026-03-02T09:00:00Z") // 1_000
    values = [device("ac-24", 1).values(t) for t in range(monday, monday + HOUR, 5 * SECOND)]
    pressures = [one["tank_pressure_bar"] for one in values]
    assert 5.8 < min(pressures) < 6.2
    assert 7.8 < max(pressures) < 8.2
    for before, after in pairwise(values):
        if after["vibration_mm_s"] < 1 and before["vibration_mm_s"] < 1:
            assert after["tank_pressure_bar"] <= before["tank_pressure_bar"]


@given(seed=seeds, t=moments, period=st.integers(1_000, DAY))
def test_drift_is_smooth_and_bounded(seed, t, period):
    dice = Dice(seed)
    here, soon = dice.drift(t, period), dice.drift(t + period // 1_000, period)
    assert -1 <= here <= 1
    assert abs(soon - here) < 0.005
