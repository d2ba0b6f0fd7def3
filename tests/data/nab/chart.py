"""Draw docs/real-data.svg and count the numbers of docs/real-data.md: `python -m tests.data.nab.chart`."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tests.oracle import machine

TARGET = Path(__file__).parents[3] / "docs" / "real-data.svg"
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 1000, 320, 44, 34, 28
HIGHEST = 120
COLUMN = timedelta(hours=3)


def svg(rows: Sequence[machine.Reading]) -> str:
    """The recording as a band from lowest to highest of each three hours, windows behind it, alarms above it."""
    first, last = rows[0][0], max(at for at, _ in rows)

    def x(at: datetime) -> float:
        return round(LEFT + (at - first) / (last - first) * (WIDTH - LEFT - 8), 1)

    def y(value: float) -> float:
        return round(TOP + (1 - value / HIGHEST) * (HEIGHT - TOP - BOTTOM), 1)

    cold, hot, windows = machine.cold(rows), machine.hot(rows), machine.windows()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Machine temperature, December 2013 to February 2014</title>",
        f"<desc>{len(windows)} labelled windows, {len(cold)} cold alarms, {len(hot)} hot alarms.</desc>",
        '<g font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_box(x(begin), TOP, x(end), HEIGHT - BOTTOM, "#f6d9b8") for begin, end in windows),
        *(_box(x(alarm.raised_at), TOP - 20, x(alarm.cleared_at or last), TOP - 12, "#8a8a8a") for alarm in hot),
        *(_box(x(alarm.raised_at), TOP - 10, x(alarm.cleared_at or last) + 1, TOP - 2, "#b3261e") for alarm in cold),
        *(_level(y(value), str(value)) for value in (0, 50, 95)),
        *(
            f'<text x="{x(day)}" y="{HEIGHT - 8}" fill="#333">{day:%-d %b}</text>'
            for day in (first + timedelta(days=14 * nth) for nth in range(6))
        ),
        f'<path d="{_band(rows, x, y)}" fill="#1f5f8b" stroke="#1f5f8b" stroke-width="0.8"/>',
        *(_text(x(begin), TOP + 14, f"window {nth}") for nth, (begin, _) in enumerate(windows, 1)),
        _text(2, TOP - 12, "hot"),
        _text(2, TOP, "cold"),
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def _band(rows: Sequence[machine.Reading], x: Callable[[datetime], float], y: Callable[[float], float]) -> str:
    columns: dict[datetime, list[float]] = {}
    for at, value in rows:
        columns.setdefault(rows[0][0] + (at - rows[0][0]) // COLUMN * COLUMN, []).append(value)
    upper = [f"{x(at)} {y(max(values))}" for at, values in columns.items()]
    lower = [f"{x(at)} {y(min(values))}" for at, values in reversed(columns.items())]
    return "M" + "L".join(upper + lower) + "Z"


def _box(left: float, top: float, right: float, bottom: float, colour: str) -> str:
    return f'<rect x="{left}" y="{top}" width="{right - left:.1f}" height="{bottom - top}" fill="{colour}"/>'


def _level(at: float, label: str) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - 8}" y1="{at}" y2="{at}" stroke="#555" stroke-dasharray="4 4"/>'
    return line + f'<text x="{LEFT - 6}" y="{at + 4}" text-anchor="end" fill="#333">{label}</text>'


def _text(left: float, top: float, text: str) -> str:
    return f'<text x="{left}" y="{top}" fill="#333">{text}</text>'


def numbers(rows: Sequence[machine.Reading]) -> None:
    """Print what the page tells."""
    windows = machine.windows()
    week = [value for at, value in rows if at < rows[0][0] + timedelta(days=7)]
    print(f"first week: {len(week)} readings, {min(week):.1f} to {max(week):.1f}")
    for begin, end in windows:
        within = [value for at, value in rows if begin <= at <= end]
        print(f"window from {begin:%d %b %H:%M} to {end:%d %b %H:%M}: lowest {min(within):.1f}")
    for alarm in machine.cold(rows):
        nth = machine.window_of(alarm, windows)
        print(f"cold {alarm.raised_at:%d %b %H:%M} at {alarm.value:.1f}: window {nth}", end="")
        if nth is not None:
            begin, end = windows[nth - 1]
            late, early = alarm.raised_at - begin, begin + (end - begin) / 2 - alarm.raised_at
            print(f", {late} after its begin, {early} before its middle", end="")
        print()
    hot = [machine.window_of(alarm, windows) for alarm in machine.hot(rows)]
    print(f"hot: {len(hot)} alarms, {hot.count(None)} outside")
    for minutes in (0, 30, 60, 120):
        for limit in (45, 50, 55, 60):
            found = [machine.window_of(alarm, windows) for alarm in machine.cold(rows, limit, limit + 5, minutes)]
            caught = sorted({nth for nth in found if nth})
            print(f"below {limit} for {minutes} min: windows {caught}, {found.count(None)} outside")


if __name__ == "__main__":
    recording = machine.readings()
    TARGET.write_text(svg(recording), "utf-8")
    numbers(recording)
