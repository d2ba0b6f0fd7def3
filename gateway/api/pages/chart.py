"""The chart around the onset of an alarm, as SVG that needs no script: band, limit, span that fired, line, dot.

Everything is placed in percent of the picture, so that words keep their size while the picture stretches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import pairwise

Point = tuple[datetime, float]

POINTS_MAX = 400
_WIDE, _HIGH = 1000, 300
_LEAST_SPAN = 0.6
_GAP_SHARE = 0.05
_WORDS_FIT = 12.0


@dataclass(frozen=True, slots=True)
class Words:
    """What is written in the picture, in the reader's language and time."""

    label: str
    band: str
    alarm: str
    limit: str
    first: str
    last: str


def chart(
    points: Sequence[Point],
    normal: tuple[float, float] | None,
    limit: float,
    onset: datetime,
    cleared: datetime | None,
    words: Words,
    tone: str = "",
) -> str:
    """The SVG of these readings, oldest first; empty when there are fewer than two."""
    shown = _thinned(points)
    if len(shown) < 2:
        return ""
    field = _Field.around(shown, normal, limit)
    start = field.x(onset)
    width = max(_LEAST_SPAN, field.x(cleared or shown[-1][0]) - start)
    fired = [point for point in shown if point[0] >= onset and (cleared is None or point[0] <= cleared)]
    parts = [f'<rect class="fire" x="{start:.1f}%" width="{width:.1f}%" y="0" height="100%"/>']
    if normal:
        top, bottom = field.y(normal[1]), field.y(normal[0])
        parts.append(f'<rect class="bandr" x="0" width="100%" y="{top:.1f}%" height="{bottom - top:.1f}%"/>')
        if bottom - top > _WORDS_FIT:
            parts.append(f'<text class="tag band" x="8" y="{top:.1f}%" dy="18">{escape(words.band)}</text>')
    right = start + width
    anchor, place = ("start", start) if start < 50 else ("end", right)
    parts += [
        f'<rect class="firetop" x="{start:.1f}%" width="{width:.1f}%" y="0" height="5"/>',
        f'<text class="tag warn" x="{place:.1f}%" y="-8" text-anchor="{anchor}">{escape(words.alarm)}</text>',
        f'<line class="thr" x1="0" x2="100%" y1="{field.y(limit):.1f}%" y2="{field.y(limit):.1f}%"/>',
        f'<text x="-8" y="{field.y(limit):.1f}%" dy="4" text-anchor="end">{escape(words.limit)}</text>',
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" width="100%" height="100%">',
        f'<path class="ln" d="{field.path(shown)}"/><path class="out" d="{field.path(fired)}"/></svg>',
        f'<circle class="{"dot b" if cleared else "dot"}"',
        f' cx="{field.x(shown[-1][0]):.1f}%" cy="{field.y(shown[-1][1]):.1f}%" r="5.5"/>',
        f'<text x="0" y="100%" dy="22">{escape(words.first)}</text>',
        f'<text x="100%" y="100%" dy="22" text-anchor="end">{escape(words.last)}</text>',
    ]
    classes = f"n-chart {tone}".strip()
    return f'<svg class="{classes}" role="img" aria-label="{escape(words.label)}">{"".join(parts)}</svg>'


@dataclass(frozen=True, slots=True)
class _Field:
    """Where a moment and a value stand, in percent of the picture."""

    begin: datetime
    end: datetime
    low: float
    high: float

    @classmethod
    def around(cls, points: Sequence[Point], normal: tuple[float, float] | None, limit: float) -> "_Field":
        values = [value for _, value in points] + [limit]
        low, high = min(values), max(values)
        span = high - low or abs(high) or 1.0
        if normal:
            # A wide band is cut, so that it never flattens the line.
            low, high = min(low, max(normal[0], low - span)), max(high, min(normal[1], high + span))
        return cls(points[0][0], points[-1][0], low - 0.08 * span, high + 0.2 * span)

    def x(self, moment: datetime) -> float:
        seconds = (self.end - self.begin).total_seconds() or 1.0
        return min(100.0, max(0.0, 100 * (moment - self.begin).total_seconds() / seconds))

    def y(self, value: float) -> float:
        return min(100.0, max(0.0, 100 * (self.high - value) / (self.high - self.low)))

    def path(self, points: Sequence[Point]) -> str:
        """A line that is broken where nothing was measured for long."""
        if not points:
            return ""
        gap = max((self.end - self.begin) * _GAP_SHARE, (points[-1][0] - points[0][0]) / len(points) * 4)
        moves = ["M"] + ["L" if there[0] - here[0] <= gap else "M" for here, there in pairwise(points)]
        return "".join(
            f"{move}{self.x(moment) * _WIDE / 100:.1f},{self.y(value) * _HIGH / 100:.1f}"
            for move, (moment, value) in zip(moves, points, strict=True)
        )


def _thinned(points: Sequence[Point]) -> list[Point]:
    """The lowest and the highest of each part: more than the picture can show is left out, no extreme is lost."""
    if len(points) <= POINTS_MAX:
        return list(points)
    parts = POINTS_MAX // 2
    kept: list[Point] = []
    for part in range(parts):
        some = points[part * len(points) // parts : (part + 1) * len(points) // parts]
        extremes = {min(some, key=lambda point: point[1]), max(some, key=lambda point: point[1])}
        kept += sorted(extremes)
    if kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept
