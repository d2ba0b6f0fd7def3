"""A device's clock: wrong by an amount, drifting, set during the run, or lost and in 1970."""

from dataclasses import dataclass, replace

from device_sim.times import HOUR


@dataclass(frozen=True, slots=True)
class Clock:
    """Milliseconds; `sets` are the moments at which it is set, each with by how much."""

    ahead: int = 0
    drift: int = 0
    sets: tuple[tuple[int, int], ...] = ()
    gone: tuple[tuple[int, int], ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether it leaps during the run."""
        return bool(self.sets or self.gone)

    def skewed(self, ahead: int, drift: int) -> "Clock":
        """Wrong by so much more, and by `drift` more each hour."""
        return replace(self, ahead=self.ahead + ahead, drift=self.drift + drift)

    def set(self, at: int, by: int) -> "Clock":
        """Set at a moment."""
        return replace(self, sets=(*self.sets, (at, by)))

    def lost(self, begin: int, end: int) -> "Clock":
        """In 1970 between two moments."""
        return replace(self, gone=(*self.gone, (begin, end)))

    def read(self, start: int, at: int) -> tuple[int, bool]:
        """What it shows, milliseconds since 1970, and whether it was lost."""
        for begin, end in self.gone:
            if begin <= at < end:
                return at - begin, True
        leapt = sum(by for moment, by in self.sets if at >= moment)
        return start + at + self.ahead + leapt + (self.drift * at // HOUR if self.drift else 0), False
