"""A device's clock: wrong by an amount, drifting, set during the run, or lost and in 1970."""

from dataclasses import dataclass, replace

from device_sim.times import HOUR


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock in milliseconds; `sets` are the times at which it is set, each with the change."""

    ahead: int = 0
    drift: int = 0
    sets: tuple[tuple[int, int], ...] = ()
    lost_spans: tuple[tuple[int, int], ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether the clock is set or lost during the run."""
        return bool(self.sets or self.lost_spans)

    def with_skew(self, ahead: int, drift: int) -> "Clock":
        """Returns the clock with `ahead` added to its error, and `drift` added each hour."""
        return replace(self, ahead=self.ahead + ahead, drift=self.drift + drift)

    def with_set(self, at: int, by: int) -> "Clock":
        """Returns the clock that is also set by `by` at `at`."""
        return replace(self, sets=(*self.sets, (at, by)))

    def with_loss(self, begin: int, end: int) -> "Clock":
        """Returns the clock that shows 1970 between two times."""
        return replace(self, lost_spans=(*self.lost_spans, (begin, end)))

    def read(self, start: int, at: int) -> tuple[int, bool]:
        """Returns the time that the clock shows, in milliseconds since 1970, and whether it is lost."""
        for begin, end in self.lost_spans:
            if begin <= at < end:
                return at - begin, True
        changes = sum(by for moment, by in self.sets if at >= moment)
        return start + at + self.ahead + changes + (self.drift * at // HOUR if self.drift else 0), False
