"""The words of a notice, from its rule, in the person's language."""

from typing import Any

from gateway.notify.model import Alarm
from gateway.registrations.model import Owner
from gateway.rules.document import Threshold
from gateway.rules.sentence import number, plain_sentence, sentence


def notice_text(alarm: Alarm, language: str) -> dict[str, str]:
    """Title, body and action with the alarm's values filled in; English where the language is missing."""
    written = alarm.rule.text.get(language) or alarm.rule.text["en"]
    values = {
        "value": number(round(alarm.evidence["value"], 2)),
        "unit": alarm.rule.condition.unit,
        "limit": number(crossed_limit(alarm.rule.condition, alarm.evidence["value"])),
        "product": alarm.product_name.get(language) or alarm.product_name["en"],
        "serial": alarm.serial,
    }
    return {part: text.format(**values) for part, text in written.model_dump().items()}


def crossed_limit(condition: Threshold, value: float) -> float:
    """The limit that a value is beyond."""
    if condition.below is None or (condition.above is not None and value > condition.above):
        assert condition.above is not None  # noqa: S101 - a threshold has a limit
        return condition.above
    return condition.below


def why(alarm: Alarm, owner: Owner) -> dict[str, Any]:
    """Why this person got it: the rule as a sentence, the values, the span, the ownership.

    Of a span that began before the person owned the unit, only what is of the person's own time is told.
    """
    extreme = alarm.evidence["extreme"] if alarm.onset >= owner.since else alarm.evidence["value"]
    return {
        "rule": alarm.rule.id,
        "version": alarm.version,
        "sentence": sentence(alarm.rule),
        "plain": plain_sentence(
            alarm.rule, alarm.metric_title.get(owner.language) or alarm.metric_title["en"], owner.language
        ),
        "metric": alarm.rule.condition.metric,
        "title": alarm.metric_title.get(owner.language) or alarm.metric_title["en"],
        "value": alarm.evidence["value"],
        "extreme": extreme,
        "unit": alarm.rule.condition.unit,
        "limit": crossed_limit(alarm.rule.condition, alarm.evidence["value"]),
        "onset": max(alarm.onset, owner.since).isoformat(),
        "raised_at": alarm.raised_at.isoformat(),
        "cleared_at": None,
        "cleared_value": None,
        "told_because": f"you own this unit since {owner.since:%Y-%m-%d}",
    }
