"""Signed links: /l/… opens a notice and notes on which channel, /u/… stops mail to an address."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from gateway.notify.channels.registry import CHANNELS

_MAC_BYTES = 16
TOKEN_MAX_CHARS = 300


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link to a notice in a message on a channel."""

    notice: str
    channel: str


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """A link to stop mail to the person at the address with this digest; no link has the address itself."""

    person: str
    address: str


class Links:
    """Makes and reads the links; a secret key, derived for each purpose, signs them."""

    def __init__(self, public_url: str, secret: bytes) -> None:
        self._base = public_url.rstrip("/")
        self._keyed = {purpose: _keyed(secret, purpose) for purpose in ("l", "u")}

    @property
    def base(self) -> str:
        """The public URL of the pages, without a slash at the end."""
        return self._base

    def notice(self, notice: str) -> str:
        """Returns the URL of the notice's page, untracked."""
        return f"{self._base}/n/{notice}"

    def open(self, link: OpenLink) -> str:
        """Returns the tracked URL of a notice."""
        return f"{self._base}/l/{self._sign('l', [link.notice, link.channel])}"

    def unsubscribe(self, link: UnsubscribeLink) -> str:
        """Returns the URL that stops mail (RFC 8058)."""
        return f"{self._base}/u/{self._sign('u', [link.person, link.address])}"

    def read_open(self, token: str) -> OpenLink | None:
        """Returns the link of a token of /l/; None for a token that we did not sign."""
        fields = self._read("l", token)
        return OpenLink(*fields) if fields and fields[1] in CHANNELS else None

    def read_unsubscribe(self, token: str) -> UnsubscribeLink | None:
        """Returns the link of a token of /u/; None for a token that we did not sign."""
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

    def _mac(self, purpose: Literal["l", "u"], text: bytes) -> bytes:
        mac = self._keyed[purpose].copy()
        mac.update(text)
        return mac.digest()[:_MAC_BYTES]


def address_digest(email: str) -> str:
    """Returns a digest that identifies an address without naming it."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:20]


def _keyed(secret: bytes, purpose: str) -> hmac.HMAC:
    key = hmac.digest(secret, f"link {purpose}".encode(), hashlib.sha256)
    return hmac.new(key, digestmod=hashlib.sha256)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
