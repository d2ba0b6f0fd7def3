"""The words of the pages that the server renders."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "{title} – {maker}",  # noqa: RUF001
        "skip": "Skip to content",
        "back": "My Products",
        "safety": "Product safety",
        "critical": "Act now",
        "warning": "Warning",
        "info": "Information",
        "active": "{word}, still active",
        "resolved": "Back to normal",
        "recall": "Recall",
        "update": "Update",
        "withdrawal": "Information",
        "installed": "Installed",
        "installed_text": "Your product reports version {version}. You need not do anything.",
        "closed": "Closed",
        "withdrawn_text": "This notice is withdrawn. It no longer concerns your product.",
        "replaced_text": "This notice is replaced by {number} and no longer counts.",
        "did": "What it said",
        "confirm": "I have read this and will do it",
        "confirmed": "You confirmed on {when} that you have read this and will do it.",
        "you_confirmed": "{time}, you confirmed it",
        "matched": "Why yours",
        "published_as": "Published as {number}",
        "serial": "serial",
        "do": "What to do",
        "over": "It is back to normal. You need not do anything.",
        "done": "I have done it",
        "acknowledged": "You told us on {when} that it is done.",
        "see": "See the product",
        "measured": "What it measured",
        "when": "when we raised this.",
        "normal": "Normal {low} to {high}",
        "alarm_since": "Alarm since {time}",
        "band": "Normal band",
        "line": "Measured, {unit}",
        "limit": "Limit {limit}",
        "alarm": "Alarm",
        "chart": "{title} from {first} to {last}. {normal} Limit {limit}. Alarm since {onset}. Last {value}.",
        "table": "Show as a table",
        "time": "Time",
        "value": "Value",
        "rule": "The rule:",
        "rule_name": "“{rule}”, version {version}",
        "why": "Why you got this",
        "own": "This product is yours",
        "crossed": "{time}, {title} crossed {limit}",
        "stayed": "It stayed, so at {time} this became a notice.",
        "held": "Waits until {time}",
        "over_title": "{what} is right again",
        "over_text": "It is {value} {unit} now. It was not right from {first} to {last}.",
        "over_ended": "No longer active: {title}",
        "email": "Email",
        "push": "Push",
        "feed": "Your notices",
        "waiting": "waiting",
        "claimed": "being sent",
        "delivered": "sent",
        "failed": "not delivered",
        "skipped": "not sent",
        "unknown": "not known whether it arrived",
        "opened": "{time}, you opened it",
        "cleared": "{time}, back to normal",
        "settings": "Change what reaches you, and how",
        "zone": "Times are in {zone}.",
        "missing_title": "This notice is not here",
        "missing": "The address may be mistyped, or the notice went to somebody else.",
    },
    "de": {
        "title": "{title} – {maker}",  # noqa: RUF001
        "skip": "Zum Inhalt",
        "back": "Meine Produkte",
        "safety": "Produktsicherheit",
        "critical": "Jetzt handeln",
        "warning": "Warnung",
        "info": "Hinweis",
        "active": "{word}, noch aktiv",
        "resolved": "Wieder normal",
        "recall": "Rückruf",
        "update": "Update",
        "withdrawal": "Hinweis",
        "installed": "Installiert",
        "installed_text": "Ihr Produkt meldet Version {version}. Sie müssen nichts tun.",
        "closed": "Abgeschlossen",
        "withdrawn_text": "Diese Meldung ist zurückgezogen. Sie betrifft Ihr Produkt nicht mehr.",
        "replaced_text": "Diese Meldung ist durch {number} ersetzt und gilt nicht mehr.",
        "did": "Was darin stand",
        "confirm": "Bestätigen: gelesen, ich tue das",
        "confirmed": "Sie haben am {when} bestätigt, dass Sie es gelesen haben und tun.",
        "you_confirmed": "{time}, Sie haben es bestätigt",
        "matched": "Warum Ihres",
        "published_as": "Veröffentlicht als {number}",
        "serial": "Seriennummer",
        "do": "Was zu tun ist",
        "over": "Es ist wieder normal. Sie müssen nichts tun.",
        "done": "Ich habe es erledigt",
        "acknowledged": "Sie haben am {when} gemeldet, dass es erledigt ist.",
        "see": "Zum Produkt",
        "measured": "Was es gemessen hat",
        "when": "als wir dies auslösten.",
        "normal": "Normal {low} bis {high}",
        "alarm_since": "Alarm seit {time}",
        "band": "Normalbereich",
        "line": "Gemessen, {unit}",
        "limit": "Grenze {limit}",
        "alarm": "Alarm",
        "chart": "{title} von {first} bis {last}. {normal} Grenze {limit}. Alarm seit {onset}. Zuletzt {value}.",
        "table": "Als Tabelle zeigen",
        "time": "Zeit",
        "value": "Wert",
        "rule": "Die Regel:",
        "rule_name": "„{rule}“, Version {version}",
        "why": "Warum Sie das erhalten",
        "own": "Dieses Produkt gehört Ihnen",
        "crossed": "{time}, {title} überschritt die Grenze {limit}",
        "stayed": "Es blieb so, deshalb wurde daraus um {time} eine Meldung.",
        "held": "Wartet bis {time}",
        "over_title": "{what} ist wieder in Ordnung",
        "over_text": "Der Wert ist jetzt {value} {unit}. Nicht in Ordnung war er von {first} bis {last}.",
        "over_ended": "Nicht mehr aktiv: {title}",
        "email": "E-Mail",
        "push": "Push",
        "feed": "Ihre Meldungen",
        "waiting": "wartet",
        "claimed": "wird gesendet",
        "delivered": "gesendet",
        "failed": "nicht zugestellt",
        "skipped": "nicht gesendet",
        "unknown": "unbekannt, ob es ankam",
        "opened": "{time}, Sie haben es geöffnet",
        "cleared": "{time}, wieder normal",
        "settings": "Ändern, was Sie erreicht, und wie",
        "zone": "Zeiten in {zone}.",
        "missing_title": "Diese Meldung gibt es hier nicht",
        "missing": "Vielleicht ist die Adresse vertippt, oder die Meldung ging an jemand anderen.",
    },
}
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "de": ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
}


class Speech:
    """The words, numbers and times of one language."""

    def __init__(self, language: str, zone: tzinfo | None) -> None:
        self._zone = zone
        self.language = language if language in _WORDS else "en"
        self._words = _WORDS[self.language]

    def __call__(self, word: str, /, **values: object) -> str:
        """A word with its values; one that is not in the catalog stays as it is."""
        return self._words.get(word, word).format(**values)

    def number(self, value: float) -> str:
        """Three digits that matter."""
        size = abs(value)
        return self._written(f"{value:.{0 if size >= 99.95 else 1 if size >= 9.995 else 2}f}")

    def plain(self, value: float) -> str:
        """A limit, as it was written."""
        return self._written(f"{value:.6g}")

    def clock(self, moment: datetime) -> str:
        """6:40, in the maker's time zone, or the server's: without a script nobody knows the reader's."""
        local = moment.astimezone(self._zone)
        return f"{local.hour}:{local.minute:02}"

    def when(self, moment: datetime) -> str:
        """22 Nov, 6:40."""
        local = moment.astimezone(self._zone)
        day = f"{local.day}. " if self.language == "de" else f"{local.day} "
        return f"{day}{_MONTHS[self.language][local.month - 1]}, {self.clock(moment)}"

    def zone(self, moment: datetime) -> str:
        """What the times are to be read in."""
        return moment.astimezone(self._zone).tzname() or "UTC"

    def _written(self, text: str) -> str:
        return text.replace("-", "−").replace(".", "," if self.language == "de" else ".")  # noqa: RUF001
