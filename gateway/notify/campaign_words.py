"""The words around a notice of a campaign: mails and what stands in the feed, in English and German."""

from collections.abc import Mapping

_EN: Mapping[str, str] = {
    "recall": "Product safety recall",
    "update": "Update",
    "withdrawal": "All clear",
    "hazard": "The hazard",
    "changes": "What changes",
    "reason": "Why",
    "do": "What to do",
    "remedy": "What you get",
    "contact": "Questions",
    "version": "New version: {version}",
    "number": "Number {number}",
    "replaces": "It replaces {number}.",
    "matched": "Your unit is meant: {matched}.",
    "told_because": "you own this unit since {since}",
    "stop_using": "Stop using it at once",
    "unplug": "Unplug it",
    "keep_using_until_replaced": "You may keep using it until it is replaced",
    "repair": "repair",
    "replacement": "replacement",
    "refund": "refund",
    "lot": "lot {what}",
    "firmware": "firmware {what}",
    "serial": "it is on the list of serial numbers",
    "cleared_title": "Your {product} is no longer part of recall {former}",
    "cleared_title_update": "Your {product} is no longer part of update {former}",
    "cleared_body": "{number} replaces {former}, and it does not concern your unit.",
    "nothing_to_do": "You need not do anything more.",
}
_DE: Mapping[str, str] = {
    "recall": "Produktsicherheitsrückruf",
    "update": "Update",
    "withdrawal": "Entwarnung",
    "hazard": "Die Gefahr",
    "changes": "Was sich ändert",
    "reason": "Warum",
    "do": "Was zu tun ist",
    "remedy": "Was Sie bekommen",
    "contact": "Fragen",
    "version": "Neue Version: {version}",
    "number": "Nummer {number}",
    "replaces": "Ersetzt {number}.",
    "matched": "Ihr Gerät ist gemeint: {matched}.",
    "told_because": "Ihnen gehört dieses Gerät seit {since}",
    "stop_using": "Benutzen Sie es ab sofort nicht mehr",
    "unplug": "Ziehen Sie den Stecker",
    "keep_using_until_replaced": "Sie können es weiter benutzen, bis es ersetzt wird",
    "repair": "Reparatur",
    "replacement": "Ersatz",
    "refund": "Erstattung",
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
    """The catalog of a language; English where there is none."""
    return _BY_LANGUAGE.get(language, _EN)


def matched_in(matched: str, language: str) -> str:
    """Why a unit is meant ("lot L2305", "serial list", "firmware 2.3.1"), in a language."""
    kind, _, what = matched.partition(" ")
    return campaign_words(language)[kind].format(what=what)
