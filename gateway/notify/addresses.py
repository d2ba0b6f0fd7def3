"""Where a person can be reached, what they want, and what was seen of them; all in the caller's transaction."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from gateway.core.ids import IdMaker, random_id
from gateway.events import append
from gateway.notify.links import Links
from gateway.notify.model import Address
from gateway.notify.network import EMAIL, PUSH, REMEMBERED, Engagement, Order, choose
from gateway.notify.repository import queries
from gateway.store import Connection, Row

_ENGAGEMENTS_MAX = 100
_LINK_SECRET = "links"  # noqa: S105 - its name


@dataclass(frozen=True, slots=True)
class Reach:
    """A person's addresses and choice; `mail_refused` says why no mail may go to the address."""

    choice: str | None
    language: str
    email: str
    confirmed: bool
    mail_refused: str | None
    phones: tuple[Row, ...]
    engagements: tuple[Engagement, ...]

    def available(self) -> tuple[str, ...]:
        """The channels with an address that the person confirmed or registered, and did not stop."""
        email = (EMAIL,) if self.confirmed and self.mail_refused is None else ()
        return email + ((PUSH,) if self.phones else ())

    def order(self, now: datetime, channels: tuple[str, ...]) -> Order:
        """In which order this person is told, of the channels that are set up here."""
        usable = [channel for channel in self.available() if channel in channels]
        return choose(self.choice, self.engagements, usable, now, self.language)


def reach(tx: Connection, person_id: int, now: datetime) -> Reach:
    """Everything that decides how a person is told."""
    person = {"person_id": person_id}
    reachable = tx.execute(queries.reach, person).fetchone()
    assert reachable is not None  # noqa: S101 - people are never deleted
    seen = tx.execute(queries.engagements, person | {"since": now - REMEMBERED, "limit": _ENGAGEMENTS_MAX})
    return Reach(
        **reachable,
        phones=tuple(phones(tx, person_id)),
        engagements=tuple(Engagement(**row) for row in seen),
    )


def addresses(known: Reach, channel: str, severity: str) -> list[Address] | str:
    """The addresses of a channel, or why there is none.

    Safety goes to every address we know, also where other mail was stopped or only the maker's file names it.
    """
    if channel == PUSH:
        found = [Address(row["value"], row["kind"], row["id"]) for row in known.phones]
        return found or "no phone is registered"
    if severity == "safety":
        return [Address(known.email)]
    if not known.confirmed:
        return "the address was not confirmed by its owner"
    if known.mail_refused is not None:
        return f"no mail to this address: {known.mail_refused}"
    return [Address(known.email)]


def register_phone(
    tx: Connection,
    person_id: int,
    kind: str,
    value: str,
    platform: str,
    now: datetime,
    *,
    tokens_max: int,
    new_id: IdMaker = random_id,
) -> Row:
    """Let a phone be told; a new one says also that the person signs in there."""
    row = {"public_id": new_id(), "person_id": person_id, "kind": kind, "value": value, "platform": platform}
    phone = tx.execute(queries.register_phone, row | {"now": now}).fetchone()
    assert phone is not None  # noqa: S101 - RETURNING returns a row
    if phone["created"]:
        note(tx, person_id, PUSH, "signed_in", now)
        append(tx, "phone.registered", {"phone": phone["public_id"], "platform": platform}, person_id=person_id)
    stored = phones(tx, person_id)
    for old in [each for each in stored if each["id"] != phone["id"]][: max(0, len(stored) - tokens_max)]:
        retire_phone(tx, old["id"], person_id, "newer phones took its place", now)
    return phone


def phones(tx: Connection, person_id: int) -> list[Row]:
    """A person's phones that may be told, the oldest first."""
    return tx.execute(queries.phones, {"person_id": person_id}).fetchall()


def person(tx: Connection, public_id: str) -> Row | None:
    """A person by the id that stands in links: number, address, language."""
    return tx.execute(queries.person_by_public_id, {"public_id": public_id}).fetchone()


def retire_phone(tx: Connection, phone_id: int, person_id: int, reason: str, now: datetime) -> None:
    """Tell a phone nothing any more, and say why."""
    if tx.execute(queries.retire_phone, {"id": phone_id, "reason": reason, "now": now}).rowcount:
        append(tx, "phone.retired", {"reason": reason}, person_id=person_id)


def suppress(tx: Connection, person_id: int, email: str, reason: str, now: datetime) -> None:
    """Send no more mail of notices to an address, safety excepted."""
    if tx.execute(queries.suppress, {"email": email, "reason": reason, "now": now}).rowcount:
        append(tx, "mail.stopped", {"reason": reason}, person_id=person_id)


def allow_mail(tx: Connection, person_id: int, email: str) -> None:
    """Let mail of notices go to an address again."""
    if tx.execute(queries.unsuppress, {"email": email}).rowcount:
        append(tx, "mail.allowed", {}, person_id=person_id)


def prefer(tx: Connection, person_id: int, channel: str | None, now: datetime, *, actor: str) -> None:
    """Note the person's own choice; None lets what is learned count."""
    tx.execute(queries.set_choice, {"person_id": person_id, "channel": channel, "now": now})
    append(tx, "person.preferred", {"channel": channel}, actor=actor, person_id=person_id)


def note(tx: Connection, person_id: int, channel: str, kind: str, now: datetime, notice_id: int | None = None) -> None:
    """Note something that shows where a person looks."""
    seen = {"person_id": person_id, "notice_id": notice_id, "channel": channel, "kind": kind, "now": now}
    tx.execute(queries.insert_engagement, seen)


def links(tx: Connection, public_url: str, secret: str | None) -> Links:
    """The signer of links: with the given secret, else with a random one that the database keeps."""
    if secret is not None:
        return Links(public_url, secret.encode())
    name = {"name": _LINK_SECRET}
    row = tx.execute(queries.secret, name).fetchone()
    if row is None:
        tx.execute(queries.insert_secret, name | {"value": secrets.token_bytes(32)})
        row = tx.execute(queries.secret, name).fetchone()
    assert row is not None  # noqa: S101 - kept one line above, by us or by another role
    return Links(public_url, row["value"])
