"""Translates the reason of a delivery for its owner; the stored reason stays English, for the staff."""

import re

_DE = {
    r"shown in the feed": "steht bei Ihren Meldungen",
    r"nothing spoke against it": "nichts sprach dagegen",
    r"(\d+) notices in the last hour are enough": "{0} Meldungen in der letzten Stunde sind genug",
    r"safety goes out on every channel at once": "Sicherheit geht auf allen Kanälen zugleich hinaus",
    r"follows when (\w+) was not opened in time": "folgt, wenn es per {0} nicht rechtzeitig geöffnet wurde",
    r"it came again": "es kam wieder",
    r"the unit is no longer this person's": "das Gerät gehört Ihnen nicht mehr",
    r"back to normal before it was due": "vorher wieder normal",
    r"updated before it was due": "vorher aktualisiert",
    r"remedied before it was due": "vorher behoben",
    r"seen before it was due": "vorher gesehen",
    r"replaced or withdrawn before it was due": "vorher ersetzt oder zurückgezogen",
    r"not needed: it was seen after (\w+)": "nicht nötig: Sie haben es nach {0} gesehen",
    r"(\w+) is not set up here": "{0} ist hier nicht eingerichtet",
    r"no phone is registered": "kein Telefon ist angemeldet",
    r"the address was not confirmed by its owner": "die Adresse ist nicht bestätigt",
    r"no mail to this address: (.+)": "keine E-Mail an diese Adresse: {0}",
    r"you stopped mail by a link in one": "Sie haben E-Mails über den Link in einer beendet",
    r"the mail server took it": "der Mailserver hat es angenommen",
    r"the mail server could not be used \((.+)\)": "der Mailserver war nicht zu benutzen ({0})",
    r"the mail server went away before it said whether it took the mail \((.+)\)": (
        "der Mailserver war weg, bevor er sagte, ob er es annimmt ({0})"
    ),
    r"the mail server said (.+)": "der Mailserver sagte {0}",
    r"Firebase took it": "Firebase hat es angenommen",
    r"Firebase could not be reached": "Firebase war nicht erreichbar",
    r"the phone does not have the app any more \(UNREGISTERED\)": "das Telefon hat die App nicht mehr",
    r"no answer within (\d+) s": "keine Antwort innerhalb von {0} s",
    r"the worker ended while it was sending; the provider may have taken it": (
        "das Senden wurde unterbrochen; vielleicht kam es an"
    ),
    r"sent again because it is about safety: (.+)": "noch einmal gesendet, weil es um Sicherheit geht: {0}",
    r"tried again: (.+)": "noch einmal versucht: {0}",
    r"given up after (\d+) tries: (.+)": "aufgegeben nach {0} Versuchen: {1}",
    r"reached (\d+) of (\d+)": "{0} von {1} erreicht",
    r"reached (\d+) of (\d+); (.+)": "{0} von {1} erreicht; {2}",
    r"(email|push) is (?:failed|unknown): (.+)": "{0} kam nicht an: {1}",
    r"(email|push): (.+)": "{0}: {1}",
    r"email": "E-Mail",
    r"push": "Push",
}
_BY_LANGUAGE = {"de": [(re.compile(pattern), words) for pattern, words in _DE.items()]}


def reason_in(language: str, reason: str) -> str:
    """Returns the reason in a language; parts without translation, like a provider's words, stay as they are."""
    for pattern, words in _BY_LANGUAGE.get(language, ()):
        if match := pattern.fullmatch(reason):
            return words.format(*(reason_in(language, part) for part in match.groups()))
    return reason
