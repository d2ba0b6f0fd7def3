"""How one reader is spoken to: words, numbers, dates and lists of their language, times of their zone.

The pages in the browser write the same by Intl (gateway/web/src/lib/format.ts); tests/data/formats.json compares them.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Context, localcontext
from functools import lru_cache

from babel import Locale
from babel.dates import format_skeleton, get_timezone_name
from babel.lists import format_list
from babel.numbers import NumberPattern, parse_pattern

from gateway.text.catalog import words

_ROUNDING = Context(rounding=ROUND_HALF_UP)
_WHOLE, _TENTHS, _HUNDREDTHS = (parse_pattern(pattern) for pattern in ("#,##0", "#,##0.0", "#,##0.00"))
_AS_WRITTEN = parse_pattern("#,##0.###")
_MINUS = "−"  # noqa: RUF001


class Speech:
    """The words, numbers and times for a reader."""

    def __init__(self, language: str, zone: tzinfo = UTC) -> None:
        self._words = words(language)
        self._zone = zone

    @property
    def language(self) -> str:
        """The language that is really spoken: English for one without words."""
        return self._words.language.code

    def __call__(self, key: str, /, **values: str | int) -> str:
        """Returns a text of the catalog with its values."""
        return self._words(key, **values)

    def __contains__(self, key: str) -> bool:
        """Whether the catalog has a text."""
        return key in self._words

    def number(self, value: float) -> str:
        """Returns a measured value with three digits that matter."""
        size = abs(value)
        return self._decimal(value, _WHOLE if size >= 99.95 else _TENTHS if size >= 9.995 else _HUNDREDTHS)

    def plain(self, value: float) -> str:
        """Returns a limit or a bound as it was written, with three decimals at most."""
        return self._decimal(value, _AS_WRITTEN)

    def choice(self, texts: Sequence[str]) -> str:
        """Returns "repair, replacement or refund"."""
        return format_list(texts, "or", self._words.locale)

    def all_of(self, texts: Sequence[str]) -> str:
        """Returns "phone, mail and letter"."""
        return format_list(texts, "standard", self._words.locale)

    def clock(self, moment: datetime) -> str:
        """Returns 6:40, by the 24-hour clock in every language."""
        local = moment.astimezone(self._zone)
        return f"{local.hour}:{local.minute:02}"

    def day(self, moment: datetime) -> str:
        """Returns 22 Nov 2026."""
        return _day(self._words.locale, "yMMMd", moment.astimezone(self._zone).date())

    def when(self, moment: datetime) -> str:
        """Returns 22 Nov, 6:40 CET."""
        day = _day(self._words.locale, "MMMd", moment.astimezone(self._zone).date())
        return f"{self('time-at', day=day, time=self.clock(moment))} {self.zone(moment)}"

    def zone(self, moment: datetime) -> str:
        """Returns what the zone is called at a moment: CET, UTC, or GMT+5:30 where the language has no short name."""
        local = moment.astimezone(self._zone)
        return _zone_name(self._words.locale, self._zone, local.replace(minute=0, second=0, microsecond=0))

    def _decimal(self, value: float, pattern: NumberPattern) -> str:
        return _decimal(self._words.locale, str(value), pattern)


@lru_cache(1_000)
def _decimal(locale: Locale, value: str, pattern: NumberPattern) -> str:
    """By its digits: 0.0 and -0.0 are equal, and written differently."""
    with localcontext(_ROUNDING):
        written: str = pattern.apply(value, locale)
    return written.replace("-", _MINUS)


@lru_cache(1_000)
def _zone_name(locale: Locale, zone: tzinfo, local: datetime) -> str:
    """The name at a full hour, which is that of the hour: working it out takes longer than the rest of a date."""
    name = get_timezone_name(local.astimezone(zone), "short", locale=locale)
    return name if name.isalpha() else _offset(local)


@lru_cache(1_000)
def _day(locale: Locale, skeleton: str, day: date) -> str:
    return format_skeleton(skeleton, day, locale=locale)


def _offset(local: datetime) -> str:
    offset = local.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"GMT{sign}{hours}{f':{rest:02}' if rest else ''}" if minutes else "GMT"
