"""A rule in one plain English sentence, shown wherever the rule is shown, and as its owner reads it."""

from gateway.rules.document import RuleDocument
from gateway.rules.figures import span
from gateway.text import Speech


def sentence(rule: RuleDocument) -> str:
    """Raise *Pump overheats* when temp_c stays above 90 °C for 5 min; clear below 85 °C."""
    told = f"Raise *{rule.title['en']}* when {rule.condition.raises(lasting=bool(rule.for_))}"
    if rule.for_:
        told += f" for {span(rule.for_)}"
    after = f"after {span(rule.keep_firing_for)} " if rule.keep_firing_for else ""
    told += f"; clear {after}{rule.condition.clears()}"
    if rule.max_gap is not None:
        told += f"; start the wait again after a silence over {span(rule.max_gap)}"
    return told


def plain_sentence(rule: RuleDocument, metric_title: str, language: str) -> str:
    """The rule as its owner reads it: We tell you when the water pressure stays below 1 bar for 15 s. …"""
    say = Speech(language)
    wait = say("rule-lasting", span=span(rule.for_)) if rule.for_ else ""
    keep = say("rule-lasting", span=span(rule.keep_firing_for)) if rule.keep_firing_for else ""
    return rule.condition.plain(metric_title, say, wait, keep)
