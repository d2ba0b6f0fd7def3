"""Sends one mail over SMTP and returns the answer; the only module that speaks SMTP."""

import logging
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused, SMTPResponseException

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.mailbox import for_the_wire, is_plain
from gateway.core.reason import Reason
from gateway.notify.model import Answer, Delivered, Failed, Retry, Unknown

log = logging.getLogger(__name__)

LOCAL = {"127.0.0.1", "::1", "localhost"}
_QUIT_S = 2.0
# Links stay in one piece: mailboxes do not read a List-Unsubscribe that was folded into encoded words.
_LINES = policy.SMTP.clone(max_line_length=998)
_UTF8 = ("SMTPUTF8", "BODY=8BITMIME")
_NO_UTF8 = "the mail server does not take addresses with letters beyond ASCII before the @ (it offers no SMTPUTF8)"
_NO_SUCH_MAILBOX = (550, 551, 553)
"""With an enhanced code 5.1.x, or none, these codes say that the mailbox does not exist."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail before it is put together."""

    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    key: str
    """Part of the Message-ID, by which a mailbox recognises the same mail sent again."""


class _NoUtf8Error(SMTPException):
    """The server does not offer SMTPUTF8, which the address needs."""


class Mailer:
    """Sends mails through one server, each on a new connection."""

    def __init__(
        self, smtp_url: str, mail_from: str, timeout_s: float, clock: Clock, *, ca: Path | None = None
    ) -> None:
        parts = urlsplit(smtp_url)
        self._host = parts.hostname or "127.0.0.1"
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        name, sender = parseaddr(mail_from)
        self._sender = for_the_wire(sender)
        self._from = mail_from if sender.isascii() else formataddr((name, self._sender))
        self._timeout_s = timeout_s
        self._clock = clock
        self._ca = ca
        is_local = self._host in LOCAL
        # A password never goes over the network in the clear, nor to a server whose certificate is not checked.
        self._must_encrypt = not self._tls and (ca is not None or (self._user is not None and not is_local))
        self._checks = self._tls or self._must_encrypt

    async def send(self, mail: Mail) -> Answer:
        """Send a mail. Returns Unknown only for an error after the text was sent."""
        try:
            to = for_the_wire(mail.to)
            message = self._message(mail, to)
        except Exception as error:
            # Nothing was sent, and the same mail would break again. The reason becomes an event: no text of it there.
            log.exception("The mail %s could not be put together.", mail.key)
            return Failed(Reason.of("mail-broken", error=type(error).__name__))
        client = self._client()
        try:
            await self._enter(client, utf8=not is_plain(to))
            await client.rcpt(to, encoding="utf-8")
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            client.close()
            return _answer_before_data(error)
        try:
            response = await client.data(message)
        except SMTPResponseException as error:
            client.close()
            return _answer_by_code(error)
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            return Unknown(Reason.of("mail-gone", error=_error_text(error)))
        await _leave(client)
        return Delivered(Reason.of("mail-taken"), response.message[:200])

    async def try_out(self) -> str:
        """Connect and name the sender. Returns how, as a text. Raises Unavailable with the error's text."""
        client = self._client()
        try:
            await self._enter(client)
            await client.rset()
        except (SMTPException, OSError, TimeoutError, ValueError) as error:
            client.close()
            raise Unavailable(_error_text(error)) from error
        encrypted = client.get_transport_info("sslcontext") is not None
        await _leave(client)
        who = f"signed in as {self._user}" if self._user is not None else "without sign-in"
        certificate = "certificate checked" if self._checks else "certificate not checked"
        how = f"encrypted, {certificate}" if encrypted else "not encrypted"
        return f"{how}, {who}, sender {self._sender} taken"

    async def _enter(self, client: SMTP, *, utf8: bool = False) -> None:
        """Connect, sign in and name the sender; `utf8` is for a mail that only a server with SMTPUTF8 takes."""
        await client.connect()
        if self._user is not None:
            await client.login(self._user, self._password or "")
        if utf8 and client.is_ehlo_or_helo_needed:
            await client.ehlo()
        if utf8 and not client.supports_extension("smtputf8"):
            raise _NoUtf8Error(_NO_UTF8)
        await client.mail(self._sender, options=_UTF8 if utf8 else ())

    def _client(self) -> SMTP:
        # Where plain SMTP would do, STARTTLS with an unchecked certificate is no worse, and often better:
        # Debian's Postfix offers it as installed. So it is used where it is offered, as mail servers do (RFC 7435).
        return SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls,
            start_tls=True if self._must_encrypt else None,
            validate_certs=self._checks,
            cert_bundle=str(self._ca) if self._ca else None,
            timeout=self._timeout_s,
        )

    def _message(self, mail: Mail, to: str) -> bytes:
        message = EmailMessage(policy=_LINES if is_plain(to) else _LINES.clone(utf8=True))
        message["From"] = self._from
        message["To"] = to
        message["Subject"] = " ".join(mail.subject.split())
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = f"<{mail.key}@{self._sender.rpartition('@')[2] or 'gateway'}>"
        message["Auto-Submitted"] = "auto-generated"
        for name, value in mail.headers.items():
            message[name] = value
        message.set_content(mail.text, cte="quoted-printable")
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        return message.as_bytes()


async def _leave(client: SMTP) -> None:
    try:
        await client.quit(timeout=_QUIT_S)
    except (SMTPException, OSError, TimeoutError):
        client.close()


def _answer_before_data(error: Exception) -> Answer:
    """Returns the answer for an error before the text was sent: Retry, unless the address itself was refused."""
    if isinstance(error, _NoUtf8Error):
        return Failed(Reason.of("mail-no-utf8"))
    if isinstance(error, SMTPRecipientRefused):
        return _answer_by_code(error)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        return _answer_by_code(error.recipients[0])
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
