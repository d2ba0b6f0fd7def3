"""What people read about this channel."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"name": "email", "missing": "we have no address that we may write to"},
    "de": {"name": "E-Mail", "missing": "wir haben keine Adresse, an die wir schreiben dürfen"},
}
