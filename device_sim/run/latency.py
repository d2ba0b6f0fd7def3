"""A small histogram of the times that the broker takes to acknowledge."""

import math
from bisect import bisect_left
from itertools import accumulate

_STEPS = 24  # buckets for each power of ten: a quantile is exact to 10 %
_DECADES = 7  # from 10 us to 100 s
_LEAST_MS = 0.01


class Latency:
    """A histogram of milliseconds from publish to PUBACK."""

    def __init__(self) -> None:
        self._buckets = [0] * (_STEPS * _DECADES + 1)
        self.most = 0.0

    def add(self, milliseconds: float) -> None:
        """Count one time."""
        place = int(math.log10(max(milliseconds, _LEAST_MS) / _LEAST_MS) * _STEPS)
        self._buckets[min(place, len(self._buckets) - 1)] += 1
        self.most = max(self.most, milliseconds)

    def quantile(self, share: float) -> float | None:
        """Returns the time within which this share was acknowledged; None without messages."""
        sums = list(accumulate(self._buckets))
        if not sums[-1]:
            return None
        return float(min(_LEAST_MS * 10 ** ((bisect_left(sums, share * sums[-1]) + 1) / _STEPS), self.most))
