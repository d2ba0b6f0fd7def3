"""The senders of the worker role, as the settings say, started and stopped together."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.notify import addresses
from gateway.notify.channels.channel import ChannelKind, LetterCarrier
from gateway.notify.channels.registry import CHANNELS, set_up
from gateway.notify.links import Links
from gateway.notify.send.letters import Letters
from gateway.notify.send.outbox import Outbox
from gateway.notify.send.results import Results
from gateway.notify.send.sender import LetterSender, NoticeSender
from gateway.notify.send.thread import SenderThread
from gateway.notify.send.verdict import Limits
from gateway.store import Database


class Senders:
    """Runs the senders of each channel and of service letters, a thread each."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        channels = set_up(settings)
        limits = Limits(settings.send_attempts, settings.retry_first, settings.retry_max)
        self.outbox = Outbox(channels, Results(channels, limits, random.random), settings.claim_timeout)
        self._letters = Letters(limits, settings.claim_timeout, random.random)
        self._threads: list[SenderThread] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send until the block ends; messages on their way then have a few seconds to finish."""
        if self.outbox.channels:
            with self._database.transaction() as tx:
                links = addresses.links(tx, self._settings.public_url, self._settings.link_secret)
            for name in self.outbox.channels:
                self._threads += self._make(CHANNELS[name], links)
        try:
            yield
        finally:
            for thread in self._threads:
                thread.stop()
            for thread in self._threads:
                thread.join()
            self._threads = []

    def wake(self) -> None:
        """Have every sender look for work at once."""
        for thread in self._threads:
            thread.wake()

    def _make(self, kind: ChannelKind, links: Links) -> Iterator[SenderThread]:
        yield SenderThread(kind.name, lambda: self._notices(kind, links), self._settings)
        if isinstance(kind, LetterCarrier):
            yield SenderThread("letters", lambda: self._letter_sender(kind, links), self._settings)

    def _letter_sender(self, kind: LetterCarrier, links: Links) -> LetterSender:
        channel = kind.letters(self._settings, links, self._clock)
        return LetterSender(self._database, self._letters, channel, self._clock)

    def _notices(self, kind: ChannelKind, links: Links) -> NoticeSender:
        channel = kind.make(self._settings, links, self._clock)
        return NoticeSender(self._database, self.outbox, kind.name, channel, self._clock, self._settings)
