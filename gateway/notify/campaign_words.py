"""The texts that are stored in a campaign's notice, in English and German; bulletin_words.py shows them."""

from collections.abc import Mapping

_EN: Mapping[str, str] = {
    "told_because": "you own this unit since {since}",
    "lot": "lot {what}",
    "firmware": "firmware {what}",
    "serial": "it is on the list of serial numbers",
    "cleared_title": "Your {product} is no longer part of recall {former}",
    "cleared_title_update": "Your {product} is no longer part of update {former}",
    "cleared_body": "{number} replaces {former}, and it does not concern your unit.",
    "nothing_to_do": "You need not do anything more.",
}
_DE: Mapping[str, str] = {
    "told_because": "Ihnen gehört dieses Gerät seit {since}",
    "lot": "Charge {what}",
    "firmware": "Firmware {what}",
    "serial": "Es steht auf der Liste der Seriennummern",
    "cleared_title": "Ihr Gerät {product} gehört nicht mehr zum Rückruf {former}",
    "cleared_title_update": "Ihr Gerät {product} gehört nicht mehr zum Update {former}",
    "cleared_body": "{number} ersetzt {former} und betrifft Ihr Gerät nicht.",
    "nothing_to_do": "Sie müssen nichts weiter tun.",
}
_BY_LANGUAGE = {"en": _EN, "de": _DE}
LANGUAGES = tuple(_BY_LANGUAGE)


def campaign_words(language: str) -> Mapping[str, str]:
    """Returns the texts of a language; the English ones where there are none."""
    return _BY_LANGUAGE.get(language, _EN)


def matched_in(matched: str, language: str) -> str:
    """Returns why a unit is in the audience ("lot L2305", "serial list", "firmware 2.3.1"), in a language."""
    kind, _, what = matched.partition(" ")
    return campaign_words(language)[kind].format(what=what)
