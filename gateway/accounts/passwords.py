"""Passwords as argon2 hashes; a check takes the same time whether the account exists."""

import threading
import unicodedata
from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.accounts.model import PASSWORD_MAX


class Passwords:
    """Hashes and checks, only so many at once: each takes 64 MB and two tenths of a second."""

    def __init__(self, at_once: int, hasher: Argon2Hasher | None = None) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._hasher = PasswordHash((hasher or Argon2Hasher(),))

    def hash(self, password: str) -> str:
        """The argon2 hash to keep."""
        with self._places:
            return self._hasher.hash(password)

    def verify(self, password: str, stored_hash: str | None) -> bool:
        """Whether this is the password; without a hash it takes as long, and is not."""
        with self._places:
            nobodys = self._nobodys  # made by the first check of all, not by the first unknown address
            typed = unicodedata.normalize("NFC", password)[: PASSWORD_MAX + 1]
            return self._hasher.verify(typed, stored_hash or nobodys) and stored_hash is not None

    @cached_property
    def _nobodys(self) -> str:
        """A hash of the same cost as any other, of no password."""
        return self._hasher.hash("")
