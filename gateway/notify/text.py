"""The words of a notice, from its rule or its campaign, in the person's language."""

from collections.abc import Mapping
from datetime import datetime
from string import Formatter
from typing import Any

from gateway.core.reason import Reason
from gateway.notify.model import Alarm, Bulletin
from gateway.registrations.model import Owner
from gateway.rules.sentence import plain_sentence, sentence
from gateway.text import Speech


def notice_text(alarm: Alarm, owner: Owner) -> dict[str, str]:
    """Title, body and action; English where the language is missing."""
    if _began_before(alarm, owner):
        return _without_value(alarm, owner.language, _values(alarm, owner.language))
    return _filled(alarm, owner.language)


def campaign_notice(document: Mapping[str, Any], why: Mapping[str, Any]) -> dict[str, Any]:
    """The complete text and why of a campaign's notice: what it says to all, and what is of this person and unit."""
    since = datetime.fromisoformat(why["owned_since"])
    own = {name: why[name] for name in ("sent_because", "replaced_by") if name in why}
    told = {"matched": _matched(why["matched"]), "told_because": Reason.of("owned", since=since)}
    return {"text": document["text"], "why": document["details"] | told | own}


def _began_before(alarm: Alarm, owner: Owner) -> bool:
    """Whether it was raised before the unit was this person's: the state passes to them, what was measured does not."""
    return owner.since > alarm.raised_at


def _filled(alarm: Alarm, language: str) -> dict[str, str]:
    """The rule's text with the alarm's values."""
    written = alarm.rule.text.get(language) or alarm.rule.text["en"]
    values = _values(alarm, language) | {"value": Speech(language).plain(round(alarm.evidence["value"], 2))}
    return {part: text.format(**values) for part, text in written.model_dump().items()}


def _values(alarm: Alarm, language: str) -> dict[str, str]:
    """What fills the placeholders of a text, without the value."""
    return {
        "unit": alarm.rule.condition.quantity.unit,
        "limit": Speech(language).plain(alarm.rule.condition.crossed_limit(alarm.evidence["value"])),
        "product": alarm.product_name.get(language) or alarm.product_name["en"],
        "serial": alarm.serial,
    }


def why(subject: Alarm | Bulletin, owner: Owner) -> dict[str, Any]:
    """Why this person got it; of a campaign only what is of them and the unit, see `campaign_notice`."""
    if isinstance(subject, Bulletin):
        return {"matched": subject.matched, "owned_since": owner.since.isoformat()}
    return _why_alarm(subject, owner)


def _why_alarm(alarm: Alarm, owner: Owner) -> dict[str, Any]:
    """The rule as a sentence, the values, the span, the ownership.

    Of a span that began before the person owned the unit, only what is of the person's own time is told.
    """
    value = None if _began_before(alarm, owner) else alarm.evidence["value"]
    extreme = alarm.evidence["extreme"] if alarm.onset >= owner.since else value
    return {
        "rule": alarm.rule.id,
        "version": alarm.version,
        "sentence": sentence(alarm.rule),
        "plain": plain_sentence(
            alarm.rule, alarm.metric_title.get(owner.language) or alarm.metric_title["en"], owner.language
        ),
        "metric": alarm.rule.condition.quantity.metric,
        "title": alarm.metric_title.get(owner.language) or alarm.metric_title["en"],
        "value": value,
        "extreme": extreme,
        "unit": alarm.rule.condition.quantity.unit,
        "limit": alarm.rule.condition.crossed_limit(alarm.evidence["value"]),
        "onset": max(alarm.onset, owner.since).isoformat(),
        "raised_at": max(alarm.raised_at, owner.since).isoformat(),
        "cleared_at": None,
        "cleared_value": None,
        "told_because": Reason.of("owned", since=owner.since),
    }


def _matched(matched: str) -> Reason:
    """Returns why a unit is in the audience, as the audience has it: lot L2305, serial list, firmware 2.3.1."""
    kind, _, what = matched.partition(" ")
    return Reason.of(f"matched-{kind}", what=what)


def _without_value(alarm: Alarm, language: str, values: Mapping[str, str]) -> dict[str, str]:
    """For whoever did not own the unit when the value was measured: it says that the alarm was there before."""
    written = alarm.rule.text.get(language) or alarm.rule.text["en"]
    say = Speech(language)
    filled = {
        part: text.format(**values)
        for part, text in written.model_dump().items()
        if "value" not in {name for _, name, _, _ in Formatter().parse(text)}
    }
    return {
        "title": filled.get("title") or alarm.rule.title.get(language) or alarm.rule.title["en"],
        "body": " ".join([*filter(None, [filled.get("body")]), say("alarm-before")]),
        "action": filled.get("action") or say("alarm-look"),
    }
