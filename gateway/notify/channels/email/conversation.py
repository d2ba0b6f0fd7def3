"""One mail over an open connection: sender, recipient, text.

aiosmtplib connects, encrypts and signs in. Its commands cost more than the mail itself, with a timer and a lock for
each; here each part of the conversation has one timer, and nobody else uses the connection meanwhile.
"""

import asyncio

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponse,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPStatus,
)

from gateway.core.mailbox import is_plain

_UTF8 = " SMTPUTF8 BODY=8BITMIME"
_NO_UTF8 = "the mail server does not take addresses with letters beyond ASCII before the @ (it offers no SMTPUTF8)"
_TAKEN = (SMTPStatus.completed, SMTPStatus.will_forward)


class NoUtf8Error(SMTPException):
    """The server does not offer SMTPUTF8, which the address needs."""


async def announce(client: SMTP, sender: str, to: str, timeout_s: float) -> None:
    """Name sender and recipient, up to the server's word that the text may come. Raises server.TROUBLES."""
    utf8 = not is_plain(to)
    if utf8 and not client.supports_extension("smtputf8"):
        raise NoUtf8Error(_NO_UTF8)
    async with asyncio.timeout(timeout_s):
        reply = await _say(client, f"MAIL FROM:<{sender}>{_UTF8 if utf8 else ''}")
        if reply.code != SMTPStatus.completed:
            raise SMTPSenderRefused(reply.code, reply.message, sender)
        reply = await _say(client, f"RCPT TO:<{to}>")
        if reply.code not in _TAKEN:
            raise SMTPRecipientRefused(reply.code, reply.message, to)
        reply = await _say(client, "DATA")
        if reply.code != SMTPStatus.start_input:
            raise SMTPDataError(reply.code, reply.message)


async def send_text(client: SMTP, text: bytes, timeout_s: float) -> SMTPResponse:
    """Send the text, and return the server's reply to it. Raises server.TROUBLES."""
    async with asyncio.timeout(timeout_s):
        return await _send(client, text)


async def _say(client: SMTP, command: str) -> SMTPResponse:
    if not command.isprintable():
        raise ValueError("an address has characters that cannot be printed")
    return await _send(client, f"{command}\r\n".encode())


async def _send(client: SMTP, data: bytes) -> SMTPResponse:
    protocol = client.protocol
    if protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    protocol.write(data)
    reply = await protocol.read_response()
    if reply.code == SMTPStatus.domain_unavailable:
        client.close()
    return reply
