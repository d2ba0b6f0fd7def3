"""The bulletin of a campaign about one unit, in every language; pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from gateway.campaigns.model import Content, RecallContent, UpdateContent, WithdrawalContent, texts_of
from gateway.notify.model import Bulletin
from gateway.store import Row
from gateway.text import codes, words

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)
_SEVERITY = {"recall": "safety", "update": "info"}
CLEARED_KIND = "withdrawal"
"""The kind of the notice about a unit that a campaign does not concern any more."""

_NO_DETAILS: dict[str, Any] = {
    **dict.fromkeys(("hazard", "action", "action_text", "remedy_text", "changes", "version", "reason")),
    "remedies": [],
}

Words = dict[str, dict[str, Any]]
"""Language code to the fields in that language."""


@dataclass(frozen=True, slots=True)
class CampaignTexts:
    """The texts of a published campaign: for the units that it concerns, and for those that it concerns no more."""

    campaign: Row
    severity: str
    below: str | None
    former: str | None
    affected: tuple[Words, Words]
    """Texts and details for the units that it concerns."""
    cleared: tuple[Words, Words]
    """Texts and details for the units that it concerns no more."""

    @classmethod
    def of(cls, campaign: Row, formers: Sequence[Row]) -> Self:
        """Returns what the bulletins of all units share; `formers` are the superseded campaigns, the latest first."""
        content = _CONTENT.validate_python(campaign["content"])
        kind = next((row["kind"] for row in [campaign, *formers] if row["kind"] != "withdrawal"), "recall")
        former = formers[0]["number"] if formers else None
        below = campaign["audience"]["below"] if content.kind == "update" else None
        common = _NO_DETAILS | {
            "number": campaign["number"],
            "published_at": campaign["published_at"].isoformat(),
            "replaces": former,
            "replaced_by": None,
            "contact": content.contact.model_dump(),
        }
        if isinstance(content, WithdrawalContent):
            cleared = _authored_texts(content, common, None)
            return cls(campaign, _SEVERITY[kind], below, former, cleared, cleared)
        affected = _authored_texts(content, common, below)
        cleared = _cleared_texts(campaign, common, kind) if former else ({}, {})
        return cls(campaign, _SEVERITY[kind], below, former, affected, cleared)

    def documents(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the notices say, by kind of the notice and language."""
        return {CLEARED_KIND: _documents(*self.cleared), self.campaign["kind"]: _documents(*self.affected)}


def bulletin(campaign_texts: CampaignTexts, unit_id: int, standing: str, matched: str) -> Bulletin:
    """Returns the bulletin about a unit of the audience."""
    is_cleared = standing == "cleared"
    return Bulletin(
        campaign_id=campaign_texts.campaign["id"],
        campaign=campaign_texts.campaign["public_id"],
        number=campaign_texts.campaign["number"],
        kind=CLEARED_KIND if is_cleared else campaign_texts.campaign["kind"],
        unit_id=unit_id,
        severity=campaign_texts.severity,
        matched=matched,
        takes_back=campaign_texts.former if is_cleared else None,
    )


def _documents(texts: Words, details: Words) -> dict[str, dict[str, Any]]:
    return {language: {"text": texts[language], "details": details[language]} for language in texts}


def _authored_texts(content: Content, common: dict[str, Any], below: str | None) -> tuple[Words, Words]:
    """Returns the authors' texts, in the languages in which every text is written."""
    fields = texts_of(content)
    texts: Words = {}
    details: Words = {}
    for language in fields["title"]:
        fields_in_language = {name: by_language.get(language) for name, by_language in fields.items()}
        if None in [value for name, value in fields_in_language.items() if name != "remedy_text"]:
            continue
        title, *others = fields_in_language.values()
        action = fields_in_language.get("action_text") or words(language)("campaign-nothing-to-do")
        texts[language] = {"title": title, "body": others[0], "action": action}
        details[language] = common | _details(content, fields_in_language, below)
    return texts, details


def _details(content: Content, fields_in_language: dict[str, str | None], below: str | None) -> dict[str, Any]:
    of_kind: dict[str, Any] = {}
    match content:
        case RecallContent():
            of_kind = {"action": content.action, "remedies": list(content.remedies)}
        case UpdateContent():
            of_kind = {"version": below}
    return of_kind | {name: text for name, text in fields_in_language.items() if name != "title"}


def _cleared_texts(campaign: Row, common: dict[str, Any], kind: str) -> tuple[Words, Words]:
    """Returns the standard texts for units that the new campaign does not concern any more."""
    texts: Words = {}
    details: Words = {}
    names = campaign["product_name"]
    former = common["replaces"]
    for language in codes():
        say = words(language)
        body = say("campaign-cleared-text", number=common["number"], former=former)
        title = say(f"campaign-cleared-{kind}", product=names.get(language) or names["en"], former=former)
        texts[language] = {"title": title, "body": body, "action": say("campaign-nothing-to-do")}
        details[language] = common | {"reason": body}
    return texts, details
