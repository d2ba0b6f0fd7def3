"""Sends notices and service letters as mails, with one-click unsubscribe by RFC 8058."""

from typing import TYPE_CHECKING

from gateway.core.clock import Clock
from gateway.core.reason import Reason
from gateway.notify.channels.email.mailer import Mailer
from gateway.notify.compose import letter_mail, notice_mail
from gateway.notify.links import Links
from gateway.notify.model import Address, Answer, Delivery, Failed
from gateway.store import Row

if TYPE_CHECKING:
    from gateway.config import Settings


class EmailChannel:
    """Mails notices through one SMTP server."""

    def __init__(self, settings: "Settings", links: Links, clock: Clock) -> None:
        self._mailer = Mailer.of(settings, clock)
        self._links = links
        self._maker = settings.maker

    async def send(self, delivery: Delivery, address: Address) -> Answer:
        """Send one mail."""
        return await self._mailer.send(notice_mail(delivery, address.value, delivery.person, self._links, self._maker))

    async def close(self) -> None:
        """Close the connections."""
        await self._mailer.close()


class LetterMails:
    """Mails service letters through the same server, on connections of their own: a code waits behind no notice."""

    def __init__(self, settings: "Settings", links: Links, clock: Clock) -> None:
        self._mailer = Mailer.of(settings, clock)
        self._links = links
        self._maker = settings.maker

    async def send(self, letter: Row) -> Answer:
        """Send one letter."""
        mail = letter_mail(letter, self._links, self._maker)
        return await self._mailer.send(mail) if mail else Failed(Reason.of("no-letter", template=letter["template"]))

    async def close(self) -> None:
        """Close the connections."""
        await self._mailer.close()
