"""Sends mails over connections that are kept for the next mail, and returns the answers; one mail at a time on each."""

import asyncio
import logging
from contextlib import suppress
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiosmtplib import (
    SMTPDataError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPStatus,
)

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.mailbox import for_the_wire
from gateway.core.reason import Reason
from gateway.notify.channels.email.connections import Connections, Kept
from gateway.notify.channels.email.message import for_data, message_bytes
from gateway.notify.channels.email.server import TROUBLES, MailServer
from gateway.notify.channels.email.session import NoUtf8Error
from gateway.notify.mail import Mail
from gateway.notify.model import Answer, Delivered, Failed, Retry, Unknown

if TYPE_CHECKING:
    from gateway.config import Settings

log = logging.getLogger(__name__)

_NO_SUCH_MAILBOX = (550, 551, 553)
"""With an enhanced code 5.1.x, or none, these codes say that the mailbox does not exist."""


class _GoneError(Exception):
    """A kept connection had ended before anything of this mail was sent on it."""


class Mailer:
    """Sends mails through one server; every method runs on one event loop."""

    def __init__(
        self,
        smtp_url: str,
        mail_from: str,
        timeout_s: float,
        clock: Clock,
        *,
        ca: Path | None = None,
        connections: int = 1,
        mails_per_connection: int = 100,
    ) -> None:
        self._server = MailServer(smtp_url, timeout_s, ca)
        name, sender = parseaddr(mail_from)
        self._sender = for_the_wire(sender)
        self._from = mail_from if sender.isascii() else formataddr((name, self._sender))
        self._domain = self._sender.rpartition("@")[2] or "gateway"
        self._timeout_s = timeout_s
        self._clock = clock
        self._connections = Connections(self._server.connect, connections, mails_per_connection)

    @classmethod
    def of(cls, settings: "Settings", clock: Clock) -> Self:
        """Returns the mailer that these settings set up."""
        assert settings.smtp_url is not None  # noqa: S101 - it is set up
        return cls(
            settings.smtp_url,
            settings.mail_from,
            settings.send_timeout.total_seconds(),
            clock,
            ca=settings.smtp_ca,
            connections=settings.smtp_connections,
            mails_per_connection=settings.smtp_mails_per_connection,
        )

    async def send(self, mail: Mail) -> Answer:
        """Send a mail. Returns Unknown only for an error after the text was sent."""
        try:
            to = for_the_wire(mail.to)
            text = self.message(mail)
        except Exception as error:
            # Nothing was sent, and the same mail would break again. The reason becomes an event: no text of it there.
            log.exception("The mail %s could not be put together.", mail.key)
            return Failed(Reason.of("mail-broken", error=type(error).__name__))
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._connections.places.acquire()
        except TimeoutError:
            return Retry(Reason.of("mail-unusable", error="all connections are in use"))
        try:
            return await self._send(to, for_data(text))
        finally:
            self._connections.places.release()

    def message(self, mail: Mail) -> bytes:
        """Returns the finished mail. Raises ValueError where it cannot be put together."""
        key = f"{mail.key}@{self._domain}"
        return message_bytes(mail, for_the_wire(mail.to), self._from, key, format_datetime(self._clock()))

    async def try_out(self) -> str:
        """Connect and name the sender. Returns how, as a text. Raises Unavailable with the error's text."""
        try:
            session = await self._server.connect()
        except TROUBLES as error:
            raise Unavailable(_error_text(error)) from error
        try:
            await session.check_sender(self._sender)
        except TROUBLES as error:
            session.close()
            raise Unavailable(_error_text(error)) from error
        encrypted = session.is_encrypted
        await session.leave()
        who = f"signed in as {self._server.user}" if self._server.user is not None else "without sign-in"
        certificate = "certificate checked" if self._server.checks else "certificate not checked"
        how = f"encrypted, {certificate}" if encrypted else "not encrypted"
        return f"{how}, {who}, sender {self._sender} taken"

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def _send(self, to: str, message: bytes) -> Answer:
        """Send on a kept connection; where that turns out to have ended before this mail, on a new one."""
        kept = self._connections.take()
        if kept is not None:
            with suppress(_GoneError):
                return await self._send_on(kept, to, message, is_new=False)
        try:
            kept = await self._connections.open()
        except TROUBLES as error:
            return _answer_before_text(error)
        return await self._send_on(kept, to, message, is_new=True)

    async def _send_on(self, kept: Kept, to: str, message: bytes, *, is_new: bool) -> Answer:
        session = kept.session
        try:
            await session.announce(self._sender, to)
        except TROUBLES as error:
            if not is_new and _is_gone(error):
                session.close()
                raise _GoneError from error
            await self._begin_anew(kept)
            return _answer_before_text(error)
        except asyncio.CancelledError:
            session.close()
            raise
        try:
            response = await session.send(message)
        except TROUBLES as error:
            session.close()
            return Unknown(Reason.of("mail-gone", error=_error_text(error)))
        except asyncio.CancelledError:
            session.close()
            raise
        await self._connections.give_back(kept)
        if response.code != SMTPStatus.completed:
            return _answer_by_code(SMTPDataError(response.code, response.message))
        return Delivered(Reason.of("mail-taken"), response.message[:200])

    async def _begin_anew(self, kept: Kept) -> None:
        """After a refusal the server must forget the sender before the next mail; else the connection is closed."""
        try:
            await kept.session.reset()
        except TROUBLES:
            kept.session.close()
        except asyncio.CancelledError:
            kept.session.close()
            raise
        await self._connections.give_back(kept)


def _is_gone(error: Exception) -> bool:
    """Whether the server closed a kept connection, say after so many mails or so much time; it took nothing then."""
    if isinstance(error, SMTPResponseException):
        return error.code == SMTPStatus.domain_unavailable
    return isinstance(error, SMTPServerDisconnected | ConnectionError)


def _answer_before_text(error: Exception) -> Answer:
    """Returns the answer for an error before the text was sent: Retry, unless the mail itself was refused."""
    if isinstance(error, NoUtf8Error):
        return Failed(Reason.of("mail-no-utf8"))
    if isinstance(error, SMTPRecipientRefused | SMTPDataError):
        return _answer_by_code(error)
    return Retry(Reason.of("mail-unusable", error=_error_text(error)))


def _answer_by_code(error: SMTPResponseException) -> Answer:
    reason = Reason.of("mail-said", answer=f"{error.code} {error.message}".strip()[:300])
    if error.code < 500:
        return Retry(reason)
    enhanced = error.message.split(" ", 1)[0]
    is_address = isinstance(error, SMTPRecipientRefused) and error.code in _NO_SUCH_MAILBOX
    dead = is_address and (enhanced.startswith("5.1.") or not enhanced.startswith("5."))
    return Failed(reason, retire_address=dead)


def _error_text(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
