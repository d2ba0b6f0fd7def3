"""A rule in one plain English sentence, shown wherever the rule is shown."""

from datetime import timedelta

from gateway.rules.document import RuleDocument, Threshold

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def sentence(rule: RuleDocument) -> str:
    """Raise *Pump overheats* when temp_c stays above 90 °C for 5 min; clear below 85 °C."""
    condition = rule.condition
    what = "goes" if rule.for_ == timedelta(0) else "stays"
    told = f"Raise *{rule.title['en']}* when {condition.metric} {what} {_hot(condition)}"
    if rule.for_:
        told += f" for {span(rule.for_)}"
    after = f"after {span(rule.keep_firing_for)} " if rule.keep_firing_for else ""
    told += f"; clear {after}{_cool(condition)}"
    if rule.max_gap is not None:
        told += f"; start the wait again after a silence over {span(rule.max_gap)}"
    return told


def _hot(condition: Threshold) -> str:
    limits = {"below": condition.below, "above": condition.above}
    return " or ".join(f"{side} {number(limit)}" for side, limit in limits.items() if limit is not None) + (
        f" {condition.unit}"
    )


def _cool(condition: Threshold) -> str:
    parts = []
    if condition.below is not None:
        parts.append(_level(condition.clear_above, "above", condition.below, "or above", condition.unit))
    if condition.above is not None:
        parts.append(_level(condition.clear_below, "below", condition.above, "or below", condition.unit))
    return " and ".join(parts)


def _level(clear: float | None, beyond: str, limit: float, or_beyond: str, unit: str) -> str:
    return f"at {number(limit)} {unit} {or_beyond}" if clear is None else f"{beyond} {number(clear)} {unit}"


def number(value: float) -> str:
    """90 for 90.0, 1.2 for 1.2."""
    return f"{value:.12g}"


def span(length: timedelta) -> str:
    """A duration in words for people: 5 min, 1 h 30 min, 1.5 s."""
    parts = []
    for name, size in _UNITS:
        count = length / size if name == "s" else length // size
        length -= count * size
        if count:
            parts.append(f"{number(count)} {name}")
    return " ".join(parts) or "0 s"


def plain_sentence(rule: RuleDocument, metric_title: str, language: str) -> str:
    """The rule as its owner reads it: We tell you when the water pressure stays below 1 bar for 15 s. …"""
    words = _PLAIN.get(language, _PLAIN["en"])
    condition = rule.condition

    def beyond(side: str, limit: float) -> str:
        figure = number(limit).replace(".", words["point"])
        return words[side].format(limit=f"{figure} {condition.unit}")

    limits = (("below", condition.below), ("above", condition.above))
    hot = [beyond(side, limit) for side, limit in limits if limit is not None]
    cool = [
        beyond(side, clear if clear is not None else limit)
        for side, clear, limit in (
            ("above", condition.clear_above, condition.below),
            ("below", condition.clear_below, condition.above),
        )
        if limit is not None
    ]
    return words["sentence"].format(
        title=metric_title,
        hot=words["or"].join(hot),
        cool=words["and"].join(cool),
        wait=words["for"].format(span=span(rule.for_)) if rule.for_ else "",
        keep=words["for"].format(span=span(rule.keep_firing_for)) if rule.keep_firing_for else "",
    )


_PLAIN = {
    "en": {
        "sentence": "We tell you when “{title}” is {hot}{wait}. It is over when it is {cool}{keep}.",
        "below": "below {limit}",
        "above": "above {limit}",
        "or": " or ",
        "and": " and ",
        "for": " for {span}",
        "point": ".",
    },
    "de": {
        "sentence": "Wir melden uns, wenn „{title}“{wait} {hot} liegt. "
        "Es ist vorbei, wenn der Wert{keep} {cool} liegt.",
        "below": "unter {limit}",
        "above": "über {limit}",
        "or": " oder ",
        "and": " und ",
        "for": " {span} lang",
        "point": ",",
    },
}
