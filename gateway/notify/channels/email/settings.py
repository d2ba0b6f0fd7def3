"""The settings of this channel."""

from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator

from gateway.core.mailbox import for_the_wire, plain

SECRETS = ("smtp_url",)


class EmailSettings(BaseModel):
    """The mail server and the sender."""

    smtp_url: str | None = Field(
        None, repr=False, description="`smtp://[USER:PASSWORD@]HOST:PORT` or `smtps://…`; without one no mail is sent."
    )
    smtp_ca: Path | None = Field(
        None,
        description="Certificate (PEM) that vouches for the mail server's; with one, TLS is asked for and checked.",
    )
    smtp_connections: int = Field(10, ge=1, le=100, description="Connections to the mail server that are kept open.")
    smtp_mails_per_connection: int = Field(
        1_000, ge=1, description="Mails sent on one connection, unless the server says fewer; then a new one is opened."
    )
    mail_from: str = Field(
        "gateway@localhost", description="The sender of every mail: an address, or `Name <address>`."
    )

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "smtp://none")
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("write it as smtp://HOST:PORT, or smtps://USER:PASSWORD@HOST:PORT")
        return url

    @field_validator("mail_from")
    @classmethod
    def _mail_from(cls, sender: str) -> str:
        for_the_wire(plain(parseaddr(sender)[1]))
        return sender
