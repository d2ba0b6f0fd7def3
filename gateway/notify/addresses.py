"""A person's addresses, their choice of channel, and their engagements; all in the caller's transaction."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.core.ids import IdMaker, random_id
from gateway.core.reason import Reason
from gateway.events import append
from gateway.notify.channels.channel import Reachable
from gateway.notify.channels.registry import CHANNELS, device_channel
from gateway.notify.links import Links
from gateway.notify.model import Address
from gateway.notify.network import ENGAGEMENT_LIFE, Engagement, Order, choose
from gateway.notify.repository import queries
from gateway.store import Connection, Row

_ENGAGEMENTS_MAX = 100
_LINK_SECRET = "links"  # noqa: S105 - the name of the secret


@dataclass(frozen=True, slots=True)
class Reach:
    """A person's addresses by channel, and their choice of one."""

    choice: str | None
    language: str
    addresses: Mapping[str, Reachable]
    engagements: tuple[Engagement, ...]

    def available(self) -> tuple[str, ...]:
        """Returns the channels with an address that the person confirmed or registered, and did not stop."""
        return tuple(channel for channel, reachable in self.addresses.items() if reachable.usual)

    def order(self, now: datetime, channels: Collection[str]) -> Order:
        """Returns the order of those of `channels`, the ones that are set up here, that reach this person."""
        usable = [channel for channel in self.available() if channel in channels]
        return choose(self.choice, self.engagements, usable, now)


def reach(tx: Connection, person_id: int, now: datetime) -> Reach:
    """Returns everything that decides on which channels a person gets notices."""
    return reaches(tx, [person_id], now)[person_id]


def reaches(tx: Connection, person_ids: Collection[int], now: datetime) -> dict[int, Reach]:
    """The same of many people, by person."""
    parameters = {"person_ids": list(person_ids)}
    rows = tx.execute(queries.reaches, parameters).fetchall()
    engagements: dict[int, list[Engagement]] = {}
    since = {"since": now - ENGAGEMENT_LIFE, "limit": _ENGAGEMENTS_MAX}
    for engagement in tx.execute(queries.engagements, parameters | since):
        engagements.setdefault(engagement.pop("person_id"), []).append(Engagement(**engagement))
    reachable = {name: kind.reachable(tx, person_ids) for name, kind in CHANNELS.items()}
    return {
        (person_id := row["person_id"]): Reach(
            row["choice"],
            row["language"],
            {name: of[person_id] for name, of in reachable.items()},
            tuple(engagements.get(person_id, ())),
        )
        for row in rows
    }


def addresses_for(reachable: Reachable, severity: str) -> Sequence[Address] | Reason:
    """Returns the addresses of a person on a channel, or the reason why there is none.

    Safety goes to every known address, also where other mail was stopped or only the maker's file names it.
    """
    found = reachable.safety if severity == "safety" else reachable.usual
    return found or reachable.refused


def mail_of(tx: Connection, person_id: int) -> Row:
    """Returns a person's mail address, whether a code proved it, and why it gets no mail of notices."""
    row = tx.execute(queries.mail_of, {"person_id": person_id}).fetchone()
    assert row is not None  # noqa: S101 - people are never deleted
    return row


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
    """Register a phone for pushes. A new one also counts as a sign-in of the person there."""
    parameters = {"public_id": new_id(), "person_id": person_id, "kind": kind, "value": value, "platform": platform}
    phone = tx.execute(queries.register_phone, parameters | {"now": now}).fetchone()
    assert phone is not None  # noqa: S101 - RETURNING returns a row
    if phone["created"]:
        note(tx, person_id, device_channel(), "signed_in", now)
        append(tx, "phone.registered", {"phone": phone["public_id"], "platform": platform}, person_id=person_id)
    rows = phones(tx, person_id)
    for old in [row for row in rows if row["id"] != phone["id"]][: max(0, len(rows) - tokens_max)]:
        retire_phone(tx, old["id"], person_id, Reason.of("newer-phones"), now)
    return phone


def phones(tx: Connection, person_id: int) -> list[Row]:
    """Returns a person's registered phones, the oldest first."""
    rows = tx.execute(queries.phones, {"person_ids": [person_id]}).fetchall()
    return [{name: value for name, value in row.items() if name != "person_id"} for row in rows]


def person(tx: Connection, public_id: str) -> Row | None:
    """Returns a person by their public id: row id, address, language."""
    return tx.execute(queries.person_by_public_id, {"public_id": public_id}).fetchone()


def retire_phone(tx: Connection, phone_id: int, person_id: int, reason: Reason, now: datetime) -> None:
    """Send nothing to a phone any more, and write an event with the reason."""
    if tx.execute(queries.retire_phone, {"id": phone_id, "reason": reason, "now": now}).rowcount:
        append(tx, "phone.retired", {"reason": reason.data}, person_id=person_id)


def suppress(tx: Connection, person_id: int, email: str, reason: Reason, now: datetime) -> None:
    """Stop the mail of notices, other than safety, to an address, and write an event with the reason."""
    if tx.execute(queries.suppress, {"email": email, "reason": reason, "now": now}).rowcount:
        append(tx, "mail.stopped", {"reason": reason.data}, person_id=person_id)


def allow_mail(tx: Connection, person_id: int, email: str) -> None:
    """Let mail of notices go to an address again."""
    if tx.execute(queries.unsuppress, {"email": email}).rowcount:
        append(tx, "mail.allowed", {}, person_id=person_id)


def prefer(tx: Connection, person_id: int, channel: str | None, now: datetime, *, actor: str) -> None:
    """Store the person's choice of channel; with None their engagements decide."""
    tx.execute(queries.set_choice, {"person_id": person_id, "channel": channel, "now": now})
    append(tx, "person.preferred", {"channel": channel}, actor=actor, person_id=person_id)


def note(tx: Connection, person_id: int, channel: str, kind: str, now: datetime, notice_id: int | None = None) -> None:
    """Store an engagement: an act that shows on which channel a person looks."""
    parameters = {"person_id": person_id, "notice_id": notice_id, "channel": channel, "kind": kind, "now": now}
    tx.execute(queries.insert_engagement, parameters)


def links(tx: Connection, public_url: str, secret: str | None) -> Links:
    """Returns the signer of links, with this secret, or else with a random one that the database keeps."""
    if secret is not None:
        return Links(public_url, secret.encode())
    parameters = {"name": _LINK_SECRET}
    row = tx.execute(queries.secret, parameters).fetchone()
    if row is None:
        tx.execute(queries.insert_secret, parameters | {"value": secrets.token_bytes(32)})
        row = tx.execute(queries.secret, parameters).fetchone()
    assert row is not None  # noqa: S101 - kept one line above, by us or by another role
    return Links(public_url, row["value"])
