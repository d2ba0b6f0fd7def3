"""Repeatable random numbers: each follows from a seed, a name and an index, not from earlier draws."""

# So a unit's series does not depend on the other units, on the sampling interval or on the process that computes it.
# Python's own hash() is salted per process; blake2b and integer mixing are not.

import math
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

_MASK = (1 << 64) - 1


@lru_cache(maxsize=65_536)
def _derive(seed: int, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Dice:
    """A source of numbers; `named` gives an independent one for each purpose."""

    seed: int

    def named(self, name: str) -> "Dice":
        """The dice for one purpose, independent of those with other names."""
        return Dice(_derive(self.seed, name))

    def at(self, index: int = 0) -> float:
        """The number at an index, uniform in [0, 1), by SplitMix64."""
        x = (self.seed + (index + 1) * 0x9E3779B97F4A7C15) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((x ^ (x >> 31)) >> 11) / (1 << 53)

    def between(self, low: float, high: float, index: int = 0) -> float:
        """The number at an index, uniform in [low, high)."""
        return low + (high - low) * self.at(index)

    def drift(self, t: int, period: int) -> float:
        """A smooth curve in [-1, 1] that changes direction every `period`: weather, grass, slow wear."""
        knot, offset = divmod(t, period)
        blend = (1 - math.cos(math.pi * offset / period)) / 2
        return 2 * (self.at(knot) * (1 - blend) + self.at(knot + 1) * blend) - 1
