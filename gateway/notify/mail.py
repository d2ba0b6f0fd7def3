"""A mail before it is put together for the wire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail before it is put together."""

    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    key: str
    """Part of the Message-ID, by which a mailbox recognises the same mail sent again."""
