"""Measures for how long ingest committed nothing, by watching the database."""

import threading
import time
from contextlib import suppress
from typing import Self

from gateway.store import OperationalError, connect

_EVERY_S = 0.05


class Gaps:
    """Watches the batches of ingest in a thread until the block ends; an absent database is a gap, too."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._seq = 0
        self._since = time.monotonic()
        self.longest_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        is_alive = self._thread.is_alive()
        self._over.set()
        self._thread.join(10)
        assert is_alive or kind, "the thread did not watch until the end"

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            with suppress(OperationalError), connect(self._url, "test-gaps") as db:
                while not self._over.wait(_EVERY_S):
                    row = db.execute("SELECT coalesce(max(seq), 0) AS seq FROM ingest_journal").fetchone()
                    assert row is not None
                    self._note(row["seq"])

    def _note(self, seq: int) -> None:
        if seq > self._seq:
            self.longest_s = max(self.longest_s, time.monotonic() - self._since if self._seq else 0.0)
            self._seq, self._since = seq, time.monotonic()
