"""The senders of the worker role, as the settings say, started and stopped together."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.notify import addresses
from gateway.notify.channels import Channel
from gateway.notify.channels.email import EmailChannel
from gateway.notify.links import Links
from gateway.notify.network import EMAIL, PUSH
from gateway.notify.reach import channels_of
from gateway.notify.send.letters import Letters
from gateway.notify.send.mail import Mailer
from gateway.notify.send.outbox import Outbox
from gateway.notify.send.sender import LetterSender, NoticeSender
from gateway.notify.send.thread import SenderThread
from gateway.notify.send.verdict import Limits
from gateway.store import Database


class Senders:
    """Runs the senders of email, push and service letters, a thread each."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        limits = Limits(settings.send_attempts, settings.retry_first, settings.retry_max)
        self.outbox = Outbox(channels_of(settings), limits, settings.claim_timeout, random.random)
        self._letters = Letters(limits, settings.claim_timeout, random.random)
        self._threads: list[SenderThread] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send until the block ends; messages on their way then have a few seconds to finish."""
        if self.outbox.channels:
            with self._database.transaction() as tx:
                links = addresses.links(tx, self._settings.public_url, self._settings.link_secret)
            self._threads = list(self._make(links))
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

    def _make(self, links: Links) -> Iterator["SenderThread"]:
        settings, clock = self._settings, self._clock
        timeout = settings.send_timeout.total_seconds()
        if settings.smtp_url:
            mailer = Mailer(settings.smtp_url, settings.mail_from, timeout, clock, ca=settings.smtp_ca)
            yield SenderThread("letters", lambda: self._letter_sender(mailer, links), settings)
            yield SenderThread(EMAIL, lambda: self._notices(EmailChannel(mailer, links, settings.maker)), settings)
        if settings.fcm_credentials:
            # Imported only when needed: it takes half a second.
            from gateway.notify.channels.fcm import FcmChannel  # noqa: PLC0415

            account, url = settings.fcm_credentials, settings.fcm_url
            yield SenderThread(PUSH, lambda: self._notices(FcmChannel(account, url, timeout, links, clock)), settings)

    def _letter_sender(self, mailer: Mailer, links: Links) -> "LetterSender":
        return LetterSender(self._database, self._letters, mailer, links, self._clock, self._settings.maker)

    def _notices(self, channel: Channel) -> "NoticeSender":
        return NoticeSender(self._database, self.outbox, channel, self._clock, self._settings)
