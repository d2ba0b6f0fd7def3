"""An open connection to the mail server: one mail after the other goes out on it.

aiosmtplib connects, encrypts and signs in; then the connection is taken over. For each command it has a timer and a
lock and waits for the reply, which costs more than the mail itself. Here several commands go out in one piece where
the server says that it takes them so (PIPELINING, RFC 2920), and each part of the conversation has one timer.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

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
_QUIT_S = 2.0
_REPLY_LINES_MAX = 100


class NoUtf8Error(SMTPException):
    """The server does not offer SMTPUTF8, which the address needs."""


@dataclass(slots=True, eq=False)
class Session:
    """The connection, after greeting and sign-in; what it raises stands in server.TROUBLES."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    extensions: Mapping[str, str]
    timeout_s: float

    @classmethod
    def of(cls, client: SMTP, timeout_s: float) -> Self:
        """Take over a client's connection; the client has none any more."""
        transport = client.transport
        if not isinstance(transport, asyncio.Transport):
            raise SMTPServerDisconnected("Connection lost")
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        client.transport = client.protocol = None
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return cls(reader, writer, dict(client.esmtp_extensions), timeout_s)

    @property
    def is_open(self) -> bool:
        """Whether nothing is known of an end of the connection."""
        return not (self.writer.is_closing() or self.reader.at_eof() or self.reader.exception())

    @property
    def is_encrypted(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.writer.get_extra_info("sslcontext") is not None

    async def announce(self, sender: str, to: str) -> None:
        """Name sender and recipient, up to the server's word that the text may come."""
        utf8 = not is_plain(to)
        if utf8 and "smtputf8" not in self.extensions:
            raise NoUtf8Error(_NO_UTF8)
        commands = (f"MAIL FROM:<{sender}>{_UTF8 if utf8 else ''}", f"RCPT TO:<{to}>", "DATA")
        if not all(command.isprintable() for command in commands):
            raise ValueError("an address has characters that cannot be printed")
        async with asyncio.timeout(self.timeout_s):
            at_once = "pipelining" in self.extensions
            if at_once:
                self.writer.write("".join(f"{command}\r\n" for command in commands).encode())
            for number, command in enumerate(commands):
                if not at_once:
                    self.writer.write(f"{command}\r\n".encode())
                reply = await self._reply()
                if refusal := _refusal(number, reply, sender, to):
                    if at_once:  # further replies are on their way, and perhaps the text is waited for
                        self.close()
                    raise refusal

    async def send(self, text: bytes) -> SMTPResponse:
        """Send the text, and return the server's reply to it."""
        async with asyncio.timeout(self.timeout_s):
            self.writer.write(text)
            await self.writer.drain()
            return await self._reply()

    async def check_sender(self, sender: str) -> None:
        """Name the sender, and send nothing."""
        async with asyncio.timeout(self.timeout_s):
            self.writer.write(f"MAIL FROM:<{sender}>\r\n".encode())
            if refusal := _refusal(0, await self._reply(), sender, ""):
                raise refusal
        await self.reset()

    async def reset(self) -> None:
        """Have the server forget a mail that was begun."""
        async with asyncio.timeout(self.timeout_s):
            self.writer.write(b"RSET\r\n")
            reply = await self._reply()
        if reply.code != SMTPStatus.completed:
            raise SMTPServerDisconnected(reply.message)

    async def leave(self) -> None:
        """Say goodbye, without waiting long for the reply."""
        try:
            async with asyncio.timeout(_QUIT_S):
                self.writer.write(b"QUIT\r\n")
                await self._reply()
        except (SMTPException, OSError, TimeoutError, ValueError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection at once."""
        self.writer.close()

    async def _reply(self) -> SMTPResponse:
        lines: list[str] = []
        while len(lines) < _REPLY_LINES_MAX:
            line = await self.reader.readline()
            if not line.endswith(b"\n"):
                raise SMTPServerDisconnected("Connection lost")
            lines.append(line[4:].strip().decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return SMTPResponse(int(line[:3]), "\n".join(lines))
        raise SMTPServerDisconnected("the reply has no end")


def _refusal(number: int, reply: SMTPResponse, sender: str, to: str) -> SMTPException | None:
    """Returns what a reply to MAIL, RCPT or DATA refuses, if anything."""
    if number == 0:
        return None if reply.code == SMTPStatus.completed else SMTPSenderRefused(reply.code, reply.message, sender)
    if number == 1:
        return None if reply.code in _TAKEN else SMTPRecipientRefused(reply.code, reply.message, to)
    return None if reply.code == SMTPStatus.start_input else SMTPDataError(reply.code, reply.message)
