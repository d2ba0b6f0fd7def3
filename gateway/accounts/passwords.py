"""Passwords as argon2 hashes; a check takes the same time whether the account exists."""

import threading
import unicodedata
from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.accounts.model import PASSWORD_MAX


class Passwords:
    """Hashes and checks, at most `at_once` at a time: each takes 64 MB and 0.2 seconds."""

    def __init__(self, at_once: int, hasher: Argon2Hasher | None = None) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._hasher = PasswordHash((hasher or Argon2Hasher(),))

    def hash(self, password: str) -> str:
        """Returns the argon2 hash to store."""
        with self._places:
            return self._hasher.hash(password)

    def verify(self, password: str, stored_hash: str | None) -> bool:
        """Whether this is the password. Without a hash it takes as long and returns False."""
        with self._places:
            dummy_hash = self._dummy_hash  # made by the first check of all, not by the first unknown address
            normalized = unicodedata.normalize("NFC", password)[: PASSWORD_MAX + 1]
            return self._hasher.verify(normalized, stored_hash or dummy_hash) and stored_hash is not None

    @cached_property
    def _dummy_hash(self) -> str:
        """A hash of no account, as costly to check as any other."""
        return self._hasher.hash("")
