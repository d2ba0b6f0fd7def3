"""HP 90, an air-to-water heat pump: power and water pressure depend on the flow temperature, that on the weather."""

import math
from dataclasses import dataclass
from typing import ClassVar

from device_sim.climate import Climate, local_day
from device_sim.dice import Dice
from device_sim.times import DAY, HOUR, MINUTE, SECOND

_HOT_WATER_C = 52.0
_CHARGE = 45 * MINUTE  # one charge of the hot water tank, mornings and evenings
_WARM_UP = 6 * MINUTE
_COOL_DOWN = 12 * MINUTE


@dataclass(frozen=True, slots=True)
class HeatPump:
    """One heat pump in its house."""

    dice: Dice
    climate: Climate
    decimals: ClassVar[dict[str, int]] = {"water_pressure_bar": 2, "flow_temp_c": 1, "outdoor_temp_c": 1, "power_kw": 2}

    def values(self, t: int) -> dict[str, float]:
        """The four metrics of a healthy unit at model time `t`."""
        outdoor = self.climate.outdoor(t)
        hot_water = self._hot_water(t)
        curve = min(max(28 + 0.8 * (18 - outdoor), 27.0), _HOT_WATER_C)  # the heating curve; 27 on standby
        flow = curve + hot_water * (_HOT_WATER_C - curve) + 0.4 * self.dice.named("flow").drift(t, 90 * SECOND)
        heating_kw = max(0.0, 0.24 * (17 - outdoor))  # the house loses 0.24 kW per degree
        power = 0.06 + (1 - hot_water) * heating_kw / _cop(flow, outdoor) + hot_water * 5.5 / _cop(flow, outdoor)
        # Each unit was filled to another pressure; warm water expands, and the vessel loses and regains a little.
        filled = self.dice.named("filled").between(1.5, 1.7)
        slow = 0.06 * self.dice.named("vessel").drift(t, 40 * DAY)
        quick = 0.01 * self.dice.named("pressure").drift(t, 40 * SECOND)
        return {
            "water_pressure_bar": filled + 0.004 * (flow - 40) + slow + quick,
            "flow_temp_c": flow,
            "outdoor_temp_c": outdoor,
            "power_kw": power * (1 + 0.03 * self.dice.named("power").drift(t, 30 * SECOND)),
        }

    def _hot_water(self, t: int) -> float:
        """The share of charging the tank (1) against heating (0), which changes slowly."""
        _, since_midnight = local_day(t)
        share = 0.0
        for hour, name in ((6, "morning"), (18, "evening")):
            since = since_midnight - hour * HOUR - self.dice.named(name).between(0, 90) * MINUTE
            if 0 <= since < _CHARGE:
                share = 1 - math.exp(-since / _WARM_UP)
            elif since >= _CHARGE:
                share = max(share, math.exp(-(since - _CHARGE) / _COOL_DOWN))
        return share


def _cop(flow: float, outdoor: float) -> float:
    """Heat per electric power: 45 % of Carnot's limit, with 8 K lost in the heat exchangers."""
    return 0.45 * (flow + 273) / (max(flow - outdoor, 8.0) + 8)
