"""The maker's name, colours and addresses for pages and mails, with a check that the colours are legible."""

import re
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

_COLOUR = re.compile(r"#[0-9a-f]{6}")
# As gateway/web/src/app.css has them, light and dark: cards, insets, and the share of the maker's colour in a soft
# fill and in the normal band of a chart. Text of that colour stands on each of them.
_CARD, _CARD_DARK = "#ffffff", "#151f26"
_INSET, _INSET_DARK = "#e9eff1", "#1d2931"
_SOFT, _BAND = 0.13, 0.16
_LEGIBLE = 4.5
"""WCAG 2.2, 1.4.3: the least contrast of text."""
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Maker:
    """What an installation says of the maker; what is not set is None."""

    name: str
    color: str
    color_dark: str
    phone: str | None = None
    email: str | None = None
    url: str | None = None
    imprint_url: str | None = None
    privacy_url: str | None = None
    zone: ZoneInfo = _UTC
    """What times are written in for a person who has chosen no zone."""

    @property
    def contact(self) -> dict[str, str | None]:
        """The ways to reach the maker, as campaigns have them."""
        return {"phone": self.phone, "email": self.email, "url": self.url}

    def zone_of(self, chosen: str | None) -> ZoneInfo:
        """Returns the time zone that a person chose, else the maker's."""
        return ZoneInfo(chosen) if chosen else self.zone

    @property
    def soft(self) -> str:
        """A fill in a tint of the colour, for mails."""
        return _mixed(self.color, _CARD, _SOFT)


def on_light(colour: str) -> str:
    """A colour of the light pages; raises ValueError, in words, where its text would be too pale to read."""
    colour = _read(colour)
    if not _is_legible(colour, _CARD, _INSET):
        raise ValueError(f"{colour} is too pale to read on white; write a darker one, like {_nearest(colour)}")
    return colour


def on_dark(colour: str) -> str:
    """A colour of the dark pages; raises ValueError, in words, where its text would be too dark to read."""
    colour = _read(colour)
    if not _is_legible(colour, _CARD_DARK, _INSET_DARK):
        raise ValueError(f"{colour} is too dark to read on black; write a paler one, like {lightened(colour)}")
    return colour


def lightened(colour: str) -> str:
    """The colour itself on the dark pages, or the nearest tint of it that can be read there."""
    tints = (_mixed("#ffffff", colour, step / 20) for step in range(21))
    return next(each for each in tints if _is_legible(each, _CARD_DARK, _INSET_DARK))


def _nearest(colour: str) -> str:
    """The nearest shade of it that can be read on white."""
    shades = (_mixed("#000000", colour, step / 20) for step in range(21))
    return next(each for each in shades if _is_legible(each, _CARD, _INSET))


def _is_legible(colour: str, card: str, inset: str) -> bool:
    """As text on an inset, and on the band, which is the stronger of its tints."""
    return min(_contrast(colour, inset), _contrast(colour, _mixed(colour, card, _BAND))) >= _LEGIBLE


def _read(written: str) -> str:
    colour = written.strip().lower()
    if not _COLOUR.fullmatch(colour):
        raise ValueError("write the colour as #rrggbb, like #0b5a75")
    return colour


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=64)
def _mixed(colour: str, ground: str, share: float) -> str:
    """As `color-mix(in srgb, …)` does."""
    pairs = zip(_parts(colour), _parts(ground), strict=True)
    return "#" + "".join(f"{round(share * one + (1 - share) * other):02x}" for one, other in pairs)


def _luminance(colour: str) -> float:
    """Relative luminance by WCAG."""
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in _parts(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)
