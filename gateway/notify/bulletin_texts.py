"""What a recall, an update or a withdrawal says to an owner beside its maker's own texts.

The headline of a recall is fixed by law (Regulation (EU) 2023/988, article 36): it is never edited, only translated.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from gateway import text
from gateway.core.maker import Maker
from gateway.core.reason import Reason
from gateway.notify.steps import after_action, steps
from gateway.text import Speech
from gateway.text.reasons import reason_text


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
    steps: tuple[str, ...]
    changes: tuple[str, ...]
    version: str
    remedy: str
    remedy_text: str
    published: str
    ways: tuple[Way, ...]


def bulletin_texts(kind: str, part: Mapping[str, Any], say: Speech) -> BulletinTexts:
    """What the notice's own record says, with the words around it."""
    action = say(f"recall-action-{part['action']}") if part.get("action") else ""
    return BulletinTexts(
        kind=kind,
        headline=say("recall-word") if kind == "recall" else say(f"kind-{kind}"),
        number=part["number"],
        replaces=part.get("replaces") or "",
        replaces_word=say("about-concerns" if kind == "withdrawal" else "about-replaces"),
        replaced_by=_successor(part),
        matched=reason_text(part.get("matched"), say),
        hazard=part.get("hazard") or "",
        reason=part.get("reason") or "",
        action=action,
        steps=tuple(action_steps(part)),
        changes=tuple(steps(part.get("changes") or "")),
        version=_version(part, say),
        remedy=_remedy(part.get("remedies") or [], say),
        remedy_text=part.get("remedy_text") or "",
        published=_day(part["published_at"], say),
        ways=tuple(_ways(part.get("contact") or {}, say)),
    )


def action_steps(part: Mapping[str, Any]) -> list[str]:
    """What to do behind the action, step by step; whichever language the notice is in."""
    key = f"recall-action-{part['action']}" if part.get("action") else None
    actions = [text.words(language)(key) for language in text.codes()] if key else []
    return after_action(actions, steps(part.get("action_text") or ""))


def _successor(part: Mapping[str, Any]) -> str:
    number = part.get("replaced_by") or ""
    return "" if number.startswith("W-") else number


def _day(moment: str | datetime, say: Speech) -> str:
    return say.day(moment if isinstance(moment, datetime) else datetime.fromisoformat(moment))


def _version(part: Mapping[str, Any], say: Speech) -> str:
    if not part.get("version"):
        return ""
    matched = Reason(part.get("matched") or "").document() or {}
    if matched.get("code") == "matched-firmware":
        return say("update-from", before=matched["what"], version=part["version"])
    return say("update-offered", version=part["version"])


def _remedy(remedies: Sequence[str], say: Speech) -> str:
    if not remedies:
        return ""
    choice = say.choice([say(f"recall-remedy-{remedy}") for remedy in remedies])
    return say("recall-remedy-choose" if len(remedies) > 1 else "recall-remedy-get", remedies=choice)


def maker_links(maker: Maker, say: Speech) -> list[Way]:
    """How to reach the maker, and its imprint and privacy page: the foot of pages and mails."""
    pages = {say("foot-imprint"): maker.imprint_url, say("foot-privacy"): maker.privacy_url}
    return _ways(maker.contact, say) + [Way("page", word, word, url) for word, url in pages.items() if url]


def _ways(contact: Mapping[str, str | None], say: Speech) -> list[Way]:
    return [
        Way(kind, say(f"contact-{kind}"), written, _link(kind, written))
        for kind in ("phone", "email", "url")
        if (written := contact.get(kind))
    ]


def _link(kind: str, text: str) -> str | None:
    if kind == "phone":
        return f"tel:{re.sub(r'[^0-9+]', '', text)}"
    if kind == "email":
        return f"mailto:{quote(text, safe='@+')}"
    return text if urlsplit(text).scheme in {"http", "https"} else None
