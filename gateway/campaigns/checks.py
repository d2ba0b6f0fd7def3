"""Stage `check`: what is missing or wrong in a draft, field by field; pure functions."""

import re
from collections.abc import Iterator

from babel import Locale
from pydantic import EmailStr, TypeAdapter, ValidationError

from gateway.campaigns.model import (
    AudienceCount,
    ByFirmware,
    Check,
    Contact,
    Content,
    Draft,
    RecallContent,
    texts_of,
)
from gateway.text import words

_VERSION = re.compile(r"\d{1,18}(\.\d{1,18})*")
_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_EMAIL = TypeAdapter(EmailStr)
_OPTIONAL = frozenset({"remedy_text"})
_WORDS = {
    "title": "a title",
    "hazard": "what the hazard is",
    "reason": "why it is withdrawn",
    "changes": "what changes",
    "action_text": "what to do",
    "remedy_text": "what the owner gets",
}


def checks(draft: Draft, count: AudienceCount, former: str | None) -> list[Check]:
    """Returns every problem of a draft; `former` is the state of the campaign that it supersedes."""
    return [*_content(draft.content, count), *_audience(draft, count), *_former(former)]


def blocking(checks: list[Check]) -> list[str]:
    """Returns the problems that prevent publishing, a line each."""
    return [f"{check.field}: {check.message}" for check in checks if check.blocks]


def _content(content: Content, count: AudienceCount) -> Iterator[Check]:
    readers = {"en": 0} | count.languages
    for field, texts in texts_of(content).items():
        if field in _OPTIONAL and not texts:
            continue
        for language in sorted(readers, key=lambda code: (code != "en", code)):
            if language not in texts:
                # Who reads a language in part reads English where it has no words.
                blocks = words(language).language.is_complete
                message = _missing(field, language, readers[language])
                yield Check(field=f"content.{field}.{language}", message=message, blocks=blocks)
    if isinstance(content, RecallContent):
        if content.action is None:
            yield _blocks("content.action", "Choose what owners have to do.")
        if not content.remedies:
            yield _blocks("content.remedies", "Choose at least one remedy: repair, replacement or refund.")
    yield from _contact(content.contact)


def _missing(field: str, language: str, readers: int) -> str:
    name = Locale("en").languages.get(language, language)
    read = f"; {readers} of the owners read{'s' if readers == 1 else ''} it" if language != "en" else ""
    return f"Write {_WORDS[field]} in {name}{read}."


def _contact(contact: Contact) -> Iterator[Check]:
    if not (contact.phone or contact.email or contact.url):
        yield _blocks("content.contact", "Give a phone number, an address or a page where owners can ask.")
    if contact.email and not _is_email(contact.email):
        yield _blocks("content.contact.email", "This is no mail address.")
    if contact.url and not _URL.fullmatch(contact.url):
        yield _blocks("content.contact.url", "Write the page as https://….")


def _is_email(text: str) -> bool:
    try:
        _EMAIL.validate_python(text)
    except ValidationError:
        return False
    return True


def _audience(draft: Draft, count: AudienceCount) -> Iterator[Check]:
    audience, kind = draft.audience, draft.content.kind
    if kind != "withdrawal" and audience is None:
        yield _blocks("audience", "Say whom it concerns.")
        return
    if kind == "update" and not isinstance(audience, ByFirmware):
        yield _blocks("audience", "An update concerns the units below a version.")
    if isinstance(audience, ByFirmware):
        if not _VERSION.fullmatch(audience.below):
            yield _blocks("audience.below", "Write a version as numbers with dots, like 2.4.0.")
        if count.unknown_firmware:
            units = f"{count.unknown_firmware} units have" if count.unknown_firmware > 1 else "1 unit has"
            message = f"{units} an unknown firmware and will not be told."
            yield Check(field="audience.below", message=message, blocks=False)
    for field, unknown in (("audience.serials", count.unknown_serials), ("audience.lots", count.unknown_lots)):
        if unknown:
            yield _blocks(field, f"Not here: {', '.join(unknown)}.")
    if not count.units:
        yield _blocks("audience", "No unit is meant.")


def _former(state: str | None) -> Iterator[Check]:
    if state not in {None, "published"}:
        yield _blocks("supersedes", f"What it takes the place of is not published any more, it is {state}.")


def _blocks(field: str, message: str) -> Check:
    return Check(field=field, message=message, blocks=True)
