"""Numbers and durations as people read them."""

from datetime import timedelta

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def number(value: float) -> str:
    """90 for 90.0, 1.2 for 1.2."""
    return f"{value:.12g}"


def span(length: timedelta) -> str:
    """A duration in words for people: 5 min, 1 h 30 min, 1.5 s."""
    parts = []
    for name, size in _UNITS:
        count = length / size if name == "s" else length // size
        length -= count * size
        if count:
            parts.append(f"{number(count)} {name}")
    return " ".join(parts) or "0 s"
