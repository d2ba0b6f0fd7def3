"""The mail server: how it is reached and signed in to."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPException

from gateway.notify.channels.email.session import Session

LOCAL = {"127.0.0.1", "::1", "localhost"}
TROUBLES = (SMTPException, OSError, TimeoutError, ValueError)
"""What using the server raises."""


class MailServer:
    """One server, by its URL."""

    def __init__(self, url: str, timeout_s: float, ca: Path | None) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or "127.0.0.1"
        self._tls = parts.scheme == "smtps"
        self._port = parts.port or (465 if self._tls else 25)
        self.user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._timeout_s = timeout_s
        self._ca = ca
        is_local = self.host in LOCAL
        # A password never goes over the network in the clear, nor to a server whose certificate is not checked.
        self._must_encrypt = not self._tls and (ca is not None or (self.user is not None and not is_local))
        self.checks = self._tls or self._must_encrypt

    async def connect(self) -> Session:
        """Connect and sign in. Raises one of TROUBLES."""
        # Where plain SMTP would do, STARTTLS with an unchecked certificate is no worse, and often better:
        # Debian's Postfix offers it as installed. So it is used where it is offered, as mail servers do (RFC 7435).
        client = SMTP(
            hostname=self.host,
            port=self._port,
            use_tls=self._tls,
            start_tls=True if self._must_encrypt else None,
            validate_certs=self.checks,
            cert_bundle=str(self._ca) if self._ca else None,
            timeout=self._timeout_s,
        )
        try:
            await client.connect()
            if self.user is not None:
                await client.login(self.user, self._password or "")
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            return Session.of(client, self._timeout_s)
        except BaseException:
            client.close()
            raise


def mails_max(session: Session, most: int) -> int:
    """Returns how many mails may go over this connection: `most`, or fewer where the server says so (RFC 9422)."""
    words = session.extensions.get("limits", "").split()
    named = [word.partition("=")[2] for word in words if word.upper().startswith("MAILMAX=")]
    return min([most, *(int(number) for number in named if number.isdecimal())]) or 1
