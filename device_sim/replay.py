"""Sends a recorded series as a unit's telemetry, shifted so that it ends now, as fast as allowed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from device_sim.fleet import payload
from device_sim.link import WINDOW, Link
from device_sim.live import FLUSH_S, Clock
from device_sim.table import Row
from device_sim.times import SECOND, format_duration, iso
from device_sim.units import Unit

_AHEAD = 2 * WINDOW  # the most unacknowledged rows in the link
_CATCH_UP_S = 1.0  # the longest burst, in seconds of the rate, after a pause of the broker
_PROGRESS_S = {True: 0.2, False: 5.0}  # on a terminal, and in a log


def shift(rows: Sequence[Row], end: int) -> list[Row]:
    """The rows shifted so that the last one of the file is at `end` (microseconds)."""
    by = end - rows[-1].at
    return [Row(row.at + by, row.values) for row in rows]


def stamp(at: int) -> int | str:
    """Returns `ts` for the gateway: milliseconds, or RFC 3339 when the time is finer than that."""
    return iso(at) if at % 1_000 else at // 1_000


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts and times of a file, for the line at the end."""

    rows: int
    empty: int  # rows without a value, which are not sent
    times: int
    first: int
    last: int
    latest: int


def summarize(rows: Sequence[Row]) -> Summary:
    """Count a file's rows and times."""
    times = {row.at for row in rows}
    return Summary(len(rows), sum(not row.values for row in rows), len(times), rows[0].at, rows[-1].at, max(times))


def send(
    rows: Sequence[Row],
    unit: Unit,
    *,
    rate: float,
    link: Link,
    clock: Clock,
    stopping: Callable[[], bool],
    progress: "Progress",
) -> int:
    """Send every row with a value, in order, at most `rate` a second (0: no limit). Returns how many are unanswered."""
    full_rows = [row for row in rows if row.values]
    started_at, base_row = clock.monotonic(), 0  # the rate is counted from this time and row
    sent = 0
    while (sent < len(full_rows) or link.outstanding) and not stopping():
        now = clock.monotonic()
        allowed = len(full_rows)
        if rate:
            allowed = base_row + int((now - started_at) * rate) + 1
            if allowed - sent > max(rate * _CATCH_UP_S, 1):
                started_at, base_row, allowed = now, sent, sent + 1
        allowed = min(allowed, sent + _AHEAD - link.outstanding, len(full_rows))
        for row in full_rows[sent:allowed]:
            link.publish(unit.topic, payload(row.values, stamp(row.at)))
        sent = max(sent, allowed)
        link.pump(min(1 / rate, 0.05) if rate else 0.05)
        progress.show(link.counts.acknowledged)
    unacknowledged = link.drain(FLUSH_S)
    progress.show(link.counts.acknowledged, last=True)
    return unacknowledged


class Progress:
    """Percent, rate and remaining time on one line of a terminal, or a line every few seconds elsewhere."""

    def __init__(self, total: int, stream: TextIO, monotonic: Callable[[], float], *, quiet: bool) -> None:
        self._total = max(total, 1)
        self._stream = stream
        self._monotonic = monotonic
        self._quiet = quiet
        self._terminal = stream.isatty()
        self._started_at = monotonic()
        self._due = self._started_at + _PROGRESS_S[self._terminal]

    def show(self, done: int, *, last: bool = False) -> None:
        """Show the progress, if it is due."""
        now = self._monotonic()
        if self._quiet or (now < self._due and not (last and self._terminal)):
            return
        self._due = now + _PROGRESS_S[self._terminal]
        rate = done / max(now - self._started_at, 0.001)
        text = f"{done / self._total:4.0%}  {done:,} of {self._total:,} rows, {rate:,.0f}/s"
        if rate and now - self._started_at > 1:  # an earlier estimate would be wrong
            text += f", {format_duration(round((self._total - done) / rate) * SECOND)} left"
        end = "\n" if last or not self._terminal else ""
        self._stream.write((f"\r{text:<72}" if self._terminal else text) + end)
        self._stream.flush()
