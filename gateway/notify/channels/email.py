"""Channel `email`: a notice as a mail, with one-click unsubscribe by RFC 8058."""

from gateway.core.maker import Maker
from gateway.notify.compose import notice_mail
from gateway.notify.links import Links
from gateway.notify.model import Address, Answer, Delivery
from gateway.notify.send.mail import Mailer


class EmailChannel:
    """Mails through one SMTP server."""

    name = "email"

    def __init__(self, mailer: Mailer, links: Links, maker: Maker) -> None:
        self._mailer = mailer
        self._links = links
        self._maker = maker

    async def send(self, delivery: Delivery, address: Address) -> Answer:
        """Send one mail."""
        return await self._mailer.send(notice_mail(delivery, address.value, delivery.person, self._links, self._maker))

    async def close(self) -> None:
        """Nothing is kept open."""
