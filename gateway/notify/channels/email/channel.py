"""Channel `email`: whom it reaches, and what it is made of."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.core.clock import Clock
from gateway.core.finding import Finding
from gateway.core.reason import Reason
from gateway.events import append_each
from gateway.notify.channels.channel import (
    Abilities,
    Channel,
    ChannelKind,
    LetterCarrier,
    LetterChannel,
    Reachable,
    Refused,
)
from gateway.notify.model import Address
from gateway.store import Connection, Row, load_queries

if TYPE_CHECKING:
    from gateway.config import Settings
    from gateway.notify.links import Links

queries = load_queries("gateway.notify.channels.email")


class Email(ChannelKind, LetterCarrier):
    """Mail to the address of the person's account; about safety also to one that only the maker knows."""

    name = "email"
    abilities = Abilities(confirms=False, replaces=False, rich_text=True, length=None)
    default_place = 2
    is_sign_in = True

    def is_set_up(self, settings: "Settings") -> bool:
        """Whether a mail server is named."""
        return settings.smtp_url is not None

    def check(self, settings: "Settings", clock: Clock) -> Finding:
        """Returns the finding of a connection to the mail server up to naming the sender."""
        from gateway.notify.channels.email.check import probe_mail  # noqa: PLC0415 - with the library for SMTP

        timeout_s = settings.send_timeout.total_seconds()
        return probe_mail(settings.smtp_url, settings.mail_from, timeout_s, clock, ca=settings.smtp_ca)

    def reachable(self, tx: Connection, person_ids: Collection[int]) -> dict[int, Reachable]:
        """Returns the address of each person."""
        rows = tx.execute(queries.addresses, {"person_ids": list(person_ids)})
        return {row["person_id"]: _reachable(row) for row in rows}

    def retire(self, tx: Connection, refused: Collection[Refused], now: datetime) -> None:
        """Stop the mail of notices, other than safety, to addresses."""
        by_email = {each.address.value.lower(): each for each in refused}
        reasons = {email: Reason.of("address-refused", reason=each.reason) for email, each in by_email.items()}
        parameters = {"emails": list(reasons), "reasons": list(reasons.values()), "now": now}
        stopped = [row["email"] for row in tx.execute(queries.suppress, parameters)]
        events = [(None, by_email[email].person_id, {"reason": reasons[email].data}) for email in stopped]
        append_each(tx, "mail.stopped", events)

    def make(self, settings: "Settings", links: "Links", clock: Clock) -> Channel:
        """Returns the sender of notices."""
        from gateway.notify.channels.email.sender import EmailChannel  # noqa: PLC0415 - with the library for SMTP

        return EmailChannel(settings, links, clock)

    def letters(self, settings: "Settings", links: "Links", clock: Clock) -> LetterChannel:
        """Returns the sender of service letters."""
        from gateway.notify.channels.email.sender import LetterMails  # noqa: PLC0415 - with the library for SMTP

        return LetterMails(settings, links, clock)


def _reachable(row: Row) -> Reachable:
    address = (Address(row["email"]),)
    if not row["confirmed"]:
        return Reachable((), address, Reason.of("not-confirmed"))
    if row["mail_refused"] is not None:
        return Reachable((), address, Reason.of("no-mail", reason=Reason(row["mail_refused"])))
    return Reachable(address, address)
