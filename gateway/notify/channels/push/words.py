"""What people read about this channel."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"name": "push", "missing": "no phone is registered"},
    "de": {"name": "Push", "missing": "kein Telefon ist angemeldet"},
}
