"""Stored reasons in words, as their reader gets them."""

from gateway.text import Speech
from gateway.text.reasons import reason_text


def in_words(reason: str | None, language: str = "en") -> str:
    return reason_text(reason, Speech(language))
