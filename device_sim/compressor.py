"""AC 24, an air compressor: the tank fills from cut-in to cut-out and empties by what the workshop uses."""

import math
from dataclasses import dataclass
from typing import ClassVar

from device_sim.climate import Climate, local_day
from device_sim.dice import Dice
from device_sim.times import HOUR, SECOND

_WARMTH = 9 * 60 * SECOND  # the motor's time constant, heating and cooling


@dataclass(frozen=True, slots=True)
class Compressor:
    """One compressor in its workshop."""

    dice: Dice
    climate: Climate
    decimals: ClassVar[dict[str, int]] = {"tank_pressure_bar": 2, "motor_temp_c": 1, "vibration_mm_s": 2}

    def values(self, t: int) -> dict[str, float]:
        """The three metrics of a healthy unit at model time `t`."""
        unit_t = t - int(self.dice.named("hour").at() * HOUR)  # so that the tanks do not all fill at the full hour
        hour, since = divmod(unit_t, HOUR)
        fill = self.dice.named("fill").between(100, 140) * SECOND
        cycle = HOUR / self._cycles(hour)  # whole cycles in each hour, so that hours join without a jump
        phase = since % cycle
        running = phase < fill
        low, high = self.dice.named("cut-in").between(5.9, 6.1), self.dice.named("cut-out").between(7.9, 8.1)
        level = (phase / fill) ** 0.9 if running else 1 - (phase - fill) / (cycle - fill)
        hum = self.dice.named("hum").drift(t, 2 * SECOND)
        return {
            "tank_pressure_bar": low + (high - low) * level,
            "motor_temp_c": self._room_temperature(t) + self._motor_rise(hour, since, fill),
            "vibration_mm_s": self.dice.named("mount").between(2.6, 4.2) + 0.5 * hum if running else 0.12 + 0.05 * hum,
        }

    def _room_temperature(self, t: int) -> float:
        """°C in the heated workshop, which changes a quarter as much as outdoors."""
        return 18 + 0.25 * (self.climate.outdoor(t) - 9.5)

    def _cycles(self, hour: int) -> int:
        """The number of fills in an hour: 6 to 12 while people work, else one because of leaks."""
        day, since_midnight = local_day(hour * HOUR)
        hour_of_day = since_midnight // HOUR
        weekday = (day + 3) % 7 < 5  # 1 January 1970 was a Thursday
        at_work = weekday and 7 <= hour_of_day < 17 and hour_of_day != 12
        return 6 + int(7 * self.dice.named("demand").at(hour)) if at_work else 1

    def _motor_rise(self, hour: int, since: int, fill: float) -> float:
        """Step through the cycles of this hour and the last one; earlier ones have no effect any more (exp -6.7)."""
        reach = self.dice.named("load").between(65, 75)
        rise = 0.0
        for start, end in ((hour - 1, HOUR), (hour, since)):
            cycles = self._cycles(start)
            remaining = float(end)
            for _ in range(cycles):
                running = min(remaining, fill)
                pause = min(remaining - running, HOUR / cycles - fill)
                rise = (reach + (rise - reach) * math.exp(-running / _WARMTH)) * math.exp(-pause / _WARMTH)
                remaining -= running + pause
        return rise
