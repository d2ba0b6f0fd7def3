"""Renders the templates. What many mails have in common is rendered once, with gaps for what is each one's own."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from gateway.core.maker import Maker
from gateway.notify.bulletin_texts import BulletinTexts, maker_links
from gateway.text import Speech, Words

_GAP = "\0"
"""Stands on both sides of the name of a gap; PostgreSQL stores no text that contains it."""
_FORMS_MAX = 128
"""Forms that are kept. One is 15 kB at most besides the campaign's own texts, each of which has a limit."""


class _Environment(Environment):
    """Templates without globals of their own."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Returns the plain dict of the environment: a chain of dicts is copied slowly, four times for each mail."""
        return {**self.globals, **d} if d else self.globals


_ENVIRONMENT = _Environment(
    loader=PackageLoader("gateway.notify"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a mail has in common with others."""

    words: Words
    maker: Maker
    severity: str
    again: bool
    told: BulletinTexts | None
    """What a campaign says to all."""


def render(template: str, **shown: Any) -> str:  # noqa: ANN401 - what the template names
    """Returns a template with what it shows."""
    return _ENVIRONMENT.get_template(template).render(shown)


def framed(maker: Maker, say: Speech) -> dict[str, Any]:
    """Returns what every page and mail needs for its head and foot."""
    return {"say": say, "maker": maker, "maker_links": maker_links(maker, say)}


def fill(template: str, form: Form, texts: Mapping[str, str]) -> str:
    """Returns a mail's text or HTML: the form with the mail's own texts, of which any may be empty."""
    pieces = list(_pieces(template, form, tuple(texts), tuple(map(bool, texts.values()))))
    for place in range(1, len(pieces), 2):
        text = texts[pieces[place]]
        pieces[place] = escape(text) if template.endswith(".html") else text
    return "".join(pieces)


@lru_cache(_FORMS_MAX)
def _pieces(template: str, form: Form, names: tuple[str, ...], has_text: tuple[bool, ...]) -> list[str]:
    """Returns a rendered template as text, the name of a gap, text, the name of a gap, and so on up to a text."""
    gaps = {name: f"{_GAP}{name}{_GAP}" if has else "" for name, has in zip(names, has_text, strict=True)}
    shown = {"severity": form.severity, "again": form.again, "told": form.told}
    say = Speech(form.words.language.code)
    return render(template, **framed(form.maker, say), **shown, **gaps).split(_GAP)
