"""What a recall, an update or a withdrawal says to an owner beside its maker's own texts, in English and German.

The headline of a recall is fixed by law (Regulation (EU) 2023/988, article 36): it is never edited, only translated.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlsplit

from gateway.core.maker import Maker
from gateway.notify.steps import after_action, steps

_EN: Mapping[str, str] = {
    "recall": "Product safety recall",
    "update": "Update",
    "withdrawal": "Information",
    "recall_title": "Product safety recall: {title}",
    "affected": "Yours is affected",
    "hazard": "The danger",
    "do": "What to do",
    "install": "How to install it",
    "changes": "What changes",
    "version": "Version",
    "from": "You have {before}. The new version is {version}.",
    "offered": "The new version is {version}.",
    "reason": "Why",
    "remedy": "What you get",
    "choose": "You choose: {remedies}",
    "get": "You get a {remedies}",
    "or": " or ",
    "repair": "repair",
    "replacement": "replacement",
    "refund": "refund",
    "stop_using": "Stop using it now",
    "unplug": "Unplug it now",
    "keep_using_until_replaced": "Keep using it until it is replaced",
    "contact": "Contact",
    "phone": "Phone",
    "email": "Email",
    "url": "Web",
    "product": "Product",
    "model": "Model",
    "serial": "Serial",
    "plate": "It stands on the plate or label of the product.",
    "share": "Tell everybody who uses it.",
    "published": "Published",
    "number": "Number",
    "replaces": "Replaces",
    "concerns": "Concerns",
    "replaced_by": "Replaced by {number}",
    "withdrawn": "Withdrawn",
    "about": "About this notice",
    "confirm": "Confirm that you have read it",
    "imprint": "Imprint",
    "privacy": "Privacy",
}
_DE: Mapping[str, str] = {
    "recall": "Produktsicherheitsrückruf",
    "update": "Update",
    "withdrawal": "Hinweis",
    "recall_title": "Produktsicherheitsrückruf: {title}",
    "affected": "Ihres ist betroffen",
    "hazard": "Die Gefahr",
    "do": "Was zu tun ist",
    "install": "So installieren Sie es",
    "changes": "Was sich ändert",
    "version": "Version",
    "from": "Sie haben {before}. Die neue Version ist {version}.",
    "offered": "Die neue Version ist {version}.",
    "reason": "Warum",
    "remedy": "Was Sie erhalten",
    "choose": "Sie wählen: {remedies}",
    "get": "Sie erhalten: {remedies}",
    "or": " oder ",
    "repair": "Reparatur",
    "replacement": "Ersatz",
    "refund": "Geld zurück",
    "stop_using": "Nicht mehr benutzen",
    "unplug": "Jetzt vom Strom trennen",
    "keep_using_until_replaced": "Weiter benutzen, bis es ersetzt ist",
    "contact": "Kontakt",
    "phone": "Telefon",
    "email": "E-Mail",
    "url": "Web",
    "product": "Produkt",
    "model": "Modell",
    "serial": "Seriennummer",
    "plate": "Sie steht auf dem Schild oder Aufkleber des Produkts.",
    "share": "Sagen Sie es allen, die es benutzen.",
    "published": "Veröffentlicht",
    "number": "Nummer",
    "replaces": "Ersetzt",
    "concerns": "Betrifft",
    "replaced_by": "Ersetzt durch {number}",
    "withdrawn": "Zurückgezogen",
    "about": "Über diese Meldung",
    "confirm": "Bestätigen, dass Sie es gelesen haben",
    "imprint": "Impressum",
    "privacy": "Datenschutz",
}
_BY_LANGUAGE = {"en": _EN, "de": _DE}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to reach the maker: what to read, and what a click does (None when a click is not safe)."""

    kind: str
    word: str
    text: str
    link: str | None


@dataclass(frozen=True, slots=True)
class BulletinTexts:
    """A campaign's notice in the owner's language, ready for a page or a mail; what it does not have is empty."""

    kind: str
    said: Mapping[str, str]
    headline: str
    number: str
    replaces: str
    replaces_word: str
    replaced_by: str
    """Empty as well when it was withdrawn."""
    matched: str
    hazard: str
    reason: str
    action: str
    """What to do in one sentence, for a recall; the steps follow it."""
    steps: Sequence[str]
    changes: Sequence[str]
    version: str
    remedy: str
    remedy_text: str
    published: str
    ways: Sequence[Way]


def bulletin_words(language: str) -> Mapping[str, str]:
    """The catalog of a language; English where there is none."""
    return _BY_LANGUAGE.get(language, _EN)


def bulletin_texts(kind: str, part: Mapping[str, Any], language: str, zone: tzinfo | None) -> BulletinTexts:
    """What the notice's own record says, with the words around it; days are those of `zone`, or of the server's."""
    said = bulletin_words(language)
    action = said[part["action"]] if part.get("action") else ""
    return BulletinTexts(
        kind=kind,
        said=said,
        headline=said[kind],
        number=part["number"],
        replaces=part.get("replaces") or "",
        replaces_word=said["concerns" if kind == "withdrawal" else "replaces"],
        replaced_by=_successor(part),
        matched=part.get("matched") or "",
        hazard=part.get("hazard") or "",
        reason=part.get("reason") or "",
        action=action,
        steps=action_steps(part),
        changes=steps(part.get("changes") or ""),
        version=_version(part, said),
        remedy=_remedy(part.get("remedies") or [], said),
        remedy_text=part.get("remedy_text") or "",
        published=_day(part["published_at"], language, zone),
        ways=_ways(part.get("contact") or {}, said),
    )


def action_steps(part: Mapping[str, Any]) -> list[str]:
    """What to do behind the action, step by step; whichever language the notice is in."""
    actions = [words[part["action"]] for words in _BY_LANGUAGE.values()] if part.get("action") else []
    return after_action(actions, steps(part.get("action_text") or ""))


def _successor(part: Mapping[str, Any]) -> str:
    number = part.get("replaced_by") or ""
    return "" if number.startswith("W-") else number


def _day(moment: str | datetime, language: str, zone: tzinfo | None) -> str:
    local = (moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)).astimezone(zone)
    return f"{local:%d.%m.%Y}" if language == "de" else f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def _version(part: Mapping[str, Any], said: Mapping[str, str]) -> str:
    if not part.get("version"):
        return ""
    has = re.fullmatch(r"[Ff]irmware (.+)", part.get("matched") or "")
    return said["from" if has else "offered"].format(before=has[1] if has else "", version=part["version"])


def _remedy(remedies: Sequence[str], said: Mapping[str, str]) -> str:
    words = [said.get(remedy, remedy) for remedy in remedies]
    if not words:
        return ""
    *others, last = words
    both = said["or"].join(filter(None, [", ".join(others), last]))
    return said["choose" if others else "get"].format(remedies=both)


def maker_links(maker: Maker, language: str) -> list[Way]:
    """How to reach the maker, and its imprint and privacy page: the foot of pages and mails."""
    said = bulletin_words(language)
    pages = {"imprint": maker.imprint_url, "privacy": maker.privacy_url}
    return _ways(maker.contact, said) + [Way(kind, said[kind], said[kind], url) for kind, url in pages.items() if url]


def _ways(contact: Mapping[str, str | None], said: Mapping[str, str]) -> list[Way]:
    return [
        Way(kind, said[kind], text, _link(kind, text))
        for kind in ("phone", "email", "url")
        if (text := contact.get(kind))
    ]


def _link(kind: str, text: str) -> str | None:
    if kind == "phone":
        return f"tel:{re.sub(r'[^0-9+]', '', text)}"
    if kind == "email":
        return f"mailto:{quote(text, safe='@+')}"
    return text if urlsplit(text).scheme in {"http", "https"} else None
