"""The outdoor temperature at a time: season, time of day and weather of central Europe."""

import math
from dataclasses import dataclass

from device_sim.dice import Dice
from device_sim.times import DAY, HOUR

_YEAR_DAYS = 365.2425
_LOCAL = HOUR  # solar time at 15° east, without summer time


def local_day(t: int) -> tuple[int, int]:
    """The number of the local day since 1970, and milliseconds since its midnight."""
    return divmod(t + _LOCAL, DAY)


def day_of_year(t: int) -> float:
    """Days since the turn of the solar year."""
    return t / DAY % _YEAR_DAYS


@dataclass(frozen=True, slots=True)
class Climate:
    """The weather that all units share, and how it differs at one unit's place."""

    weather: Dice
    place: Dice

    def outdoor(self, t: int) -> float:
        """°C in the shade: between about -13 and 31 over the years."""
        _, since_midnight = local_day(t)
        warmth = -math.cos(2 * math.pi * (day_of_year(t) - 20) / _YEAR_DAYS)  # -1 about 20 January, 1 in July
        daily = math.cos(2 * math.pi * (since_midnight / HOUR - 15) / 24) * (3 + warmth)  # clear summer days swing more
        front = 4 * self.weather.named("front").drift(t, 3 * DAY)
        cloud = 1.5 * self.weather.named("cloud").drift(t, 7 * HOUR)
        return 9.5 + 10 * warmth + daily + front + cloud + self.place.named("place").between(-1.5, 1.5)
