"""The finding on mail: the server takes our sender. Nothing is sent."""

import asyncio
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.finding import Finding, ok, problem, warning
from gateway.notify.channels.email.mailer import Mailer
from gateway.notify.channels.email.server import LOCAL


def probe_mail(
    smtp_url: str | None, mail_from: str, timeout_s: float, clock: Clock, *, ca: Path | None = None
) -> Finding:
    """Returns the finding of a connection to the mail server up to naming the sender."""
    if smtp_url is None:
        text = "no mail server: no mail is sent; sign-up, reset and invitations are refused"
        return warning("mail", text, "GATEWAY_SMTP_URL")
    parts = urlsplit(smtp_url)
    try:
        how = asyncio.run(Mailer(smtp_url, mail_from, timeout_s, clock, ca=ca).try_out())
    except Unavailable as error:
        change = "GATEWAY_SMTP_URL (host, port, smtp or smtps, user and password) and GATEWAY_MAIL_FROM"
        if ca is not None or "certificate" in str(error).lower():
            change = "GATEWAY_SMTP_CA: the certificate, in PEM, of the authority that vouches for the server's"
        return problem("mail", f"{parts.hostname} does not take mail from us: {error}", change)
    text = f"{parts.hostname}: {how}"
    if how.startswith("not encrypted") and parts.hostname not in LOCAL:
        return warning("mail", text, "let the server offer STARTTLS, or use smtps:// in GATEWAY_SMTP_URL")
    if "certificate not checked" in how and parts.hostname not in LOCAL:
        return warning("mail", text, "GATEWAY_SMTP_CA, to have the server's certificate checked, or smtps://")
    if parseaddr(mail_from)[1].endswith("@localhost"):
        return warning("mail", text, "GATEWAY_MAIL_FROM: nobody can answer to this sender, and filters refuse it")
    return ok("mail", text)
