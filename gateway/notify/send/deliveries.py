"""Deliveries that a worker has claimed: the message, its addresses, and what was tried there."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.core.reason import Reason
from gateway.notify import repository
from gateway.notify.addresses import addresses_for
from gateway.notify.channels.channel import Reachable
from gateway.notify.model import Address, Answer, Delivered, Delivery, Failed, Retry, Unknown
from gateway.notify.repository import queries
from gateway.notify.send.verdict import Outcome, Try, is_open
from gateway.store import Connection, Row

log = logging.getLogger(__name__)

_OUTCOMES: dict[type[Answer], Outcome] = {
    Delivered: "delivered",
    Retry: "retry",
    Failed: "failed",
    Unknown: "unknown",
}


@dataclass(slots=True, eq=False)
class Claim:
    """A delivery that this worker holds, and the addresses to which it sends it with this attempt."""

    delivery: Delivery
    addresses: Sequence[Address]
    tries: dict[int | None, Try] = field(default_factory=dict)
    """The last try at each address, by the address's row."""
    least_wait: timedelta | None = None
    """The longest pause that a provider asked for."""

    def note(self, address: Address, answer: Answer) -> None:
        """Note the answer to this attempt at an address."""
        self.tries[address.key] = try_of(answer)
        if isinstance(answer, Retry) and answer.after is not None:
            self.least_wait = max(self.least_wait or timedelta(), answer.after)


def try_of(answer: Answer) -> Try:
    """Returns what is stored of an answer."""
    provider_id = answer.provider_id if isinstance(answer, Delivered) else None
    # PostgreSQL stores no NUL; the reason has the words of a server.
    return Try(_OUTCOMES[type(answer)], Reason(answer.reason.replace("\\u0000", "").replace("\0", "")), provider_id)


def last_tries(tx: Connection, delivery_ids: Collection[int]) -> dict[int, list[Row]]:
    """Returns the last try at each address, by delivery."""
    tries: dict[int, list[Row]] = {}
    if delivery_ids:
        for row in tx.execute(queries.last_tries, {"outbox_ids": list(delivery_ids)}):
            tries.setdefault(row["outbox_id"], []).append(row)
    return tries


def tries_by_address(rows: Sequence[Row]) -> dict[int | None, Try]:
    """Returns the stored tries of a delivery as values."""
    return {row["push_token_id"]: Try(row["outcome"], Reason(row["reason"]), row["provider_id"]) for row in rows}


def open_addresses(reachable: Reachable, severity: str, tries: dict[int | None, Try]) -> Sequence[Address] | Reason:
    """Returns the addresses to try, without those that took, refused or may have got it; or why there is none."""
    found = addresses_for(reachable, severity)
    if isinstance(found, str):
        return [] if tries else found
    return [address for address in found if address.key not in tries or is_open(tries[address.key], severity)]


def unanswered_addresses(reachable: Reachable, severity: str, rows: Sequence[Row], attempt: int) -> list[Address]:
    """Returns the addresses that a worker may have sent to before it ended: those to try without a stored answer."""
    answered_keys = {row["push_token_id"] for row in rows if row["attempt"] == attempt}
    found = open_addresses(reachable, severity, tries_by_address(rows))
    if isinstance(found, str) or not (found or answered_keys):  # the addresses are gone since
        found = [Address("")]
    return [address for address in found if address.key not in answered_keys]


def claim_of(row: Row, addresses: Sequence[Address], tries: dict[int | None, Try], *, again: bool) -> Claim:
    """Returns the claim of a row; one whose notice cannot be read is tried again later, and holds up no other."""
    try:
        return Claim(delivery_of(row, repository.as_written(row), again=again), addresses, tries)
    except Exception as error:
        log.exception("The notice %s cannot be read.", row["notice"])
        unread = delivery_of(row, {"text": {}, "why": {}}, again=again)
        reason = Reason.of("unreadable", error=type(error).__name__)
        return Claim(unread, (), tries | {None: Try("retry", reason)})


def delivery_of(row: Row, documents: Row, *, again: bool) -> Delivery:
    """Returns the message of a row of the outbox; `again` says that an earlier try may have reached the person."""
    language = row["language"]
    return Delivery(
        id=row["id"],
        notice_id=row["notice_id"],
        notice=row["notice"],
        channel=row["channel"],
        person_id=row["person_id"],
        person=row["person"],
        unit_id=row["unit_id"],
        kind=row["kind"],
        campaign=row["campaign"],
        severity=row["severity"],
        text=documents["text"],
        why=documents["why"],
        language=language,
        time_zone=row["time_zone"],
        serial=", ".join(row["serials"] or [row["serial"]]),
        product=row["product"].get(language) or row["product"].get("en", ""),
        model=row["model"],
        attempt=row["attempts"],
        claimed_at=row["claimed_at"],
        again=again,
        follows=row["follows"],
        trace=row["trace"],
        serials=tuple(row["serials"] or ()),
        apart=row["apart"],
        renewed_at=row["renewed_at"],
    )
