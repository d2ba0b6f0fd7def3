"""Signed links: /l/… opens a notice and notes where it was opened, /u/… ends mail to an address."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from gateway.notify.model import DELIVERY_CHANNELS

_MAC_BYTES = 16
TOKEN_MAX_CHARS = 300


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A notice, opened from what was sent on a channel."""

    notice: str
    channel: str


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """A person who wants no more mail at the address with this digest; the address itself never stands in a link."""

    person: str
    address: str


class Links:
    """Makes and reads the links; a secret key, derived for each purpose, signs them."""

    def __init__(self, public_url: str, secret: bytes) -> None:
        self._base = public_url.rstrip("/")
        self._secret = secret

    @property
    def base(self) -> str:
        """Where the pages are, without a slash at the end."""
        return self._base

    def notice(self, notice: str) -> str:
        """The notice's own page, untracked."""
        return f"{self._base}/n/{notice}"

    def open(self, link: OpenLink) -> str:
        """The tracked address of a notice."""
        return f"{self._base}/l/{self._sign('l', [link.notice, link.channel])}"

    def unsubscribe(self, link: UnsubscribeLink) -> str:
        """The address that ends mail (RFC 8058)."""
        return f"{self._base}/u/{self._sign('u', [link.person, link.address])}"

    def read_open(self, token: str) -> OpenLink | None:
        """What a token of /l/ names; None for one that we did not sign."""
        fields = self._read("l", token)
        return OpenLink(*fields) if fields and fields[1] in DELIVERY_CHANNELS else None

    def read_unsubscribe(self, token: str) -> UnsubscribeLink | None:
        """What a token of /u/ names; None for one that we did not sign."""
        fields = self._read("u", token)
        return UnsubscribeLink(*fields) if fields else None

    def _sign(self, purpose: Literal["l", "u"], fields: list[str]) -> str:
        text = ".".join(fields).encode()
        return f"{_encode(text)}.{_encode(self._mac(purpose, text))}"

    def _read(self, purpose: Literal["l", "u"], token: str) -> list[str] | None:
        payload, dot, mac = token.partition(".")
        if not dot or len(token) > TOKEN_MAX_CHARS or not token.isascii():
            return None
        try:
            text, signature = _decode(payload), _decode(mac)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(signature, self._mac(purpose, text)):
            return None
        return text.decode().split(".")

    def _mac(self, purpose: str, text: bytes) -> bytes:
        key = hmac.digest(self._secret, f"link {purpose}".encode(), hashlib.sha256)
        return hmac.digest(key, text, hashlib.sha256)[:_MAC_BYTES]


def address_digest(email: str) -> str:
    """Knows an address again without naming it."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:20]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
