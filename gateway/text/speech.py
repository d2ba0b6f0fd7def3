"""How one reader is spoken to: words, numbers, dates and lists of their language, times of their zone.

The pages in the browser write the same by Intl (gateway/web/src/lib/format.ts); tests/data/formats.json compares them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_UP, Context, localcontext

from babel.dates import format_skeleton, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal

from gateway.text.catalog import words

_ROUNDING = Context(rounding=ROUND_HALF_UP)
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
        return self._decimal(value, "#,##0" if size >= 99.95 else "#,##0.0" if size >= 9.995 else "#,##0.00")

    def plain(self, value: float) -> str:
        """Returns a limit or a bound as it was written, with three decimals at most."""
        return self._decimal(value, "#,##0.###")

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
        return format_skeleton("yMMMd", moment, self._zone, locale=self._words.locale)

    def when(self, moment: datetime) -> str:
        """Returns 22 Nov, 6:40 CET."""
        day = format_skeleton("MMMd", moment, self._zone, locale=self._words.locale)
        return f"{self('time-at', day=day, time=self.clock(moment))} {self.zone(moment)}"

    def zone(self, moment: datetime) -> str:
        """Returns what the zone is called at a moment: CET, UTC, or GMT+5:30 where the language has no short name."""
        local = moment.astimezone(self._zone)
        name = get_timezone_name(local, "short", locale=self._words.locale)
        return name if name.isalpha() else _offset(local)

    def _decimal(self, value: float, pattern: str) -> str:
        with localcontext(_ROUNDING):
            return format_decimal(value, pattern, self._words.locale).replace("-", _MINUS)


def _offset(local: datetime) -> str:
    offset = local.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"GMT{sign}{hours}{f':{rest:02}' if rest else ''}" if minutes else "GMT"
