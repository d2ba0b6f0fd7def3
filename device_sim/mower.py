"""RM 500, a robot mower: mows and charges in turns through the day, stays in its shed in winter and on rainy days."""

import math
from dataclasses import dataclass
from typing import ClassVar

from device_sim.climate import Climate, day_of_year, local_day
from device_sim.dice import Dice
from device_sim.times import DAY, HOUR, MINUTE, SECOND

_HEAT = 15 * MINUTE
_COOL = 20 * MINUTE
_EVENING = 20 * HOUR


@dataclass(frozen=True, slots=True)
class Turn:
    """A mower's position in its day: the turn, the progress of mowing and then of charging (0 to 1)."""

    number: int
    mowing: float
    charging: float
    motor_rise_c: float


@dataclass(frozen=True, slots=True)
class Mower:
    """One mower in its garden."""

    dice: Dice
    climate: Climate
    decimals: ClassVar[dict[str, int]] = {"battery_pct": 1, "blade_current_a": 2, "motor_temp_c": 1}

    def values(self, t: int) -> dict[str, float]:
        """The three metrics of a healthy unit at model time `t`."""
        outdoor = self.climate.outdoor(t)
        if not self._in_season(t):
            return {"battery_pct": 100.0, "blade_current_a": 0.0, "motor_temp_c": 0.5 * outdoor + 5}
        day, _ = local_day(t)
        turn = self._turn(t)
        depth = self.dice.named("depth").between(60, 76, 16 * day + turn.number)
        # Charging ends with less and less current, so the curve flattens.
        battery = 100 - depth * (turn.mowing if turn.charging == 0 else (1 - turn.charging) ** 1.7)
        current = self._blade_current(t) if 0 < turn.mowing < 1 else 0.0
        return {
            "battery_pct": battery,
            "blade_current_a": current,
            "motor_temp_c": outdoor + turn.motor_rise_c + 0.3 * self.dice.named("motor").drift(t, 30 * SECOND),
        }

    def _in_season(self, t: int) -> bool:
        opens = self.dice.named("opens").between(82, 100)
        closes = self.dice.named("closes").between(293, 310)
        return opens <= day_of_year(t) < closes

    def _turn(self, t: int) -> Turn:
        """Step through the day's turns up to `t`; the motor's warmth carries over from one to the next."""
        day, since_midnight = local_day(t)
        mow = int(self.dice.named("mow").between(60, 80) * MINUTE)
        charge = int(self.dice.named("charge").between(50, 70) * MINUTE)
        leaves = int(self.dice.named("leaves").between(8, 10) * HOUR)
        rains = self.dice.named("rain").at(day) < 0.12
        turns = 0 if rains else int((_EVENING - leaves) // (mow + charge))
        reach = self.dice.named("slope").between(28, 38)  # the drive gets warmer in a steeper garden
        since, rise = since_midnight - leaves, 0.0
        if since < 0:
            return Turn(0, 0.0, 0.0, rise)
        for number in range(turns):
            mowing_ms = min(since, mow)
            rise = reach + (rise - reach) * math.exp(-mowing_ms / _HEAT)
            charging_ms = min(since - mowing_ms, charge)
            rise *= math.exp(-charging_ms / _COOL)
            since -= mowing_ms + charging_ms
            if since <= 0:
                return Turn(number, mowing_ms / mow, charging_ms / charge, rise)
        return Turn(turns, 0.0, 0.0, rise * math.exp(-since / _COOL))

    def _blade_current(self, t: int) -> float:
        """The idle current plus that for the grass, which grows most in May and June, and again in September."""
        day = day_of_year(t)
        growth = 0.6 + 0.7 * math.exp(-(((day - 150) / 35) ** 2)) + 0.4 * math.exp(-(((day - 255) / 25) ** 2))
        patch = 0.3 * self.dice.named("patch").drift(t, 20 * SECOND) + 0.15 * self.dice.named("tuft").drift(
            t, 3 * SECOND
        )
        return 0.9 + growth * (1 + patch) + 0.1 * self.dice.named("lawn").drift(t, 9 * DAY)
