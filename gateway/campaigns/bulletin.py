"""What a campaign tells about one unit, in every language; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from gateway.campaigns.model import Content, RecallContent, UpdateContent, WithdrawalContent, texts_of
from gateway.notify.campaign_words import LANGUAGES, campaign_words
from gateway.notify.model import Bulletin
from gateway.store import Row

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)
_SEVERITY = {"recall": "safety", "update": "info"}

_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("hazard", "action", "action_text", "remedy_text", "changes", "version", "reason")),
    "remedies": [],
}

Words = dict[str, dict[str, Any]]
"""By language."""


@dataclass(frozen=True, slots=True)
class CampaignTexts:
    """A published campaign as it is told: to whom it concerns, and to whom it concerns no more."""

    campaign: Row
    severity: str
    below: str | None
    former: str | None
    affected: tuple[Words, Words]
    """Texts and details."""
    cleared: tuple[Words, Words]

    @classmethod
    def of(cls, campaign: Row, formers: Sequence[Row]) -> Self:
        """Everything that its units have in common; `formers` is what it superseded, the latest first."""
        content = _CONTENT.validate_python(campaign["content"])
        kind = next((each["kind"] for each in [campaign, *formers] if each["kind"] != "withdrawal"), "recall")
        former = formers[0]["number"] if formers else None
        below = campaign["audience"]["below"] if content.kind == "update" else None
        common = _NOTHING | {
            "number": campaign["number"],
            "published_at": campaign["published_at"].isoformat(),
            "replaces": former,
            "replaced_by": None,
            "contact": content.contact.model_dump(),
        }
        if isinstance(content, WithdrawalContent):
            cleared = _written(content, common, None)
            return cls(campaign, _SEVERITY[kind], below, former, cleared, cleared)
        affected = _written(content, common, below)
        cleared = _cleared(campaign, common, kind) if former else ({}, {})
        return cls(campaign, _SEVERITY[kind], below, former, affected, cleared)


def bulletin(campaign_texts: CampaignTexts, unit_id: int, standing: str, matched: str) -> Bulletin:
    """What is told about a unit of the audience."""
    is_cleared = standing == "cleared"
    texts, details = campaign_texts.cleared if is_cleared else campaign_texts.affected
    return Bulletin(
        campaign_id=campaign_texts.campaign["id"],
        campaign=campaign_texts.campaign["public_id"],
        number=campaign_texts.campaign["number"],
        kind="withdrawal" if is_cleared else campaign_texts.campaign["kind"],
        unit_id=unit_id,
        severity=campaign_texts.severity,
        texts=texts,
        details=details,
        matched=matched,
        takes_back=campaign_texts.former if is_cleared else None,
    )


def _written(content: Content, common: dict[str, Any], below: str | None) -> tuple[Words, Words]:
    """As its authors wrote it, in the languages that they wrote all of."""
    fields = texts_of(content)
    texts: Words = {}
    details: Words = {}
    for language in fields["title"]:
        said = {name: by_language.get(language) for name, by_language in fields.items()}
        if None in [value for name, value in said.items() if name != "remedy_text"]:
            continue
        title, *others = said.values()
        action = said.get("action_text") or campaign_words(language)["nothing_to_do"]
        texts[language] = {"title": title, "body": others[0], "action": action}
        details[language] = common | _details(content, said, below)
    return texts, details


def _details(content: Content, said: dict[str, str | None], below: str | None) -> dict[str, Any]:
    of_kind: dict[str, Any] = {}
    match content:
        case RecallContent():
            of_kind = {"action": content.action, "remedies": list(content.remedies)}
        case UpdateContent():
            of_kind = {"version": below}
    return of_kind | {name: text for name, text in said.items() if name != "title"}


def _cleared(campaign: Row, common: dict[str, Any], kind: str) -> tuple[Words, Words]:
    """For units that the new campaign does not concern any more: nobody had to write it."""
    texts: Words = {}
    details: Words = {}
    names = campaign["product_name"]
    for language in LANGUAGES:
        words = campaign_words(language)
        filled = {"product": names.get(language) or names["en"], "former": common["replaces"]} | common
        body = words["cleared_body"].format_map(filled)
        title = words["cleared_title" if kind == "recall" else "cleared_title_update"].format_map(filled)
        texts[language] = {"title": title, "body": body, "action": words["nothing_to_do"]}
        details[language] = common | {"reason": body}
    return texts, details
