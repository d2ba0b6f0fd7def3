"""A real SMTP server in a test: takes mail, or refuses, delays and dies as a test says."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.dsl.ports import free_port


class MailServer:
    """The mails that came; `rcpt` and `data` are replies to send, in order, instead of taking a mail.

    `peers` has the client's end of the connection for each mail that was begun. It refuses more mails than
    `mails_per_connection` with 421; where it `closes`, it ends the connection after each mail without a word.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = free_port()
        self.encrypted: list[bool] = []
        self.passwords: list[bytes] = []
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.senders: list[str] = []
        self.rcpt: list[str] = []
        self.data: list[str] = []
        self.peers: list[object] = []
        self.offers: list[str] = []
        self.mails_per_connection = 1_000
        self.closes = False
        self.hang = False
        self.drop = False
        self.on_accept: Callable[[], None] | None = None
        self.accepted = threading.Event()

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    def sign_in(self, server, session, envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        """Takes any password, and keeps it."""
        self.passwords.append(data.password)
        return AuthResult(success=True)

    async def handle_EHLO(self, server, session: Session, envelope, hostname: str, replies: list[str]) -> list[str]:  # noqa: N802
        session.host_name = hostname
        return [replies[0], *(f"250-{offer}" for offer in self.offers), *replies[1:]]

    async def handle_MAIL(  # noqa: N802
        self, server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.peers.count(session.peer) >= self.mails_per_connection:
            return "421 4.7.0 too many mails on this connection"
        self.peers.append(session.peer)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(self, server, session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data.pop(0)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.raw.append(envelope.content)
        self.mails.append(message)
        self.recipients += envelope.rcpt_tos
        self.senders.append(str(envelope.mail_from))
        self.encrypted.append(session.ssl is not None)
        self.accepted.set()
        if self.on_accept:
            self.on_accept()
        if self.hang:
            await asyncio.sleep(30)
        if self.drop:
            server.transport.abort()
        if self.closes:
            asyncio.get_running_loop().call_later(0.02, server.transport.close)
        return f"250 2.0.0 queued as {len(self.mails)}"


@contextmanager
def mail_server(
    host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, *, utf8: bool = False
) -> Iterator[MailServer]:
    """A running server; with `tls` it offers STARTTLS, and sign-in after it; with `utf8`, SMTPUTF8."""
    server = MailServer(host)
    controller = Controller(
        server,
        hostname=host,
        port=server.port,
        tls_context=tls,
        authenticator=server.sign_in if tls else None,
        enable_SMTPUTF8=utf8,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop(no_assert=True)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())
