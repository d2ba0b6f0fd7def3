"""Stage `deliver`: a delivery is claimed, sent outside any transaction, and what came of it is recorded.

States: waiting -> claimed -> delivered | failed | unknown | waiting (again later); waiting -> skipped. A claim that
is too old was left by a worker that ended: the provider may have taken it, so it is unknown, and only safety goes out
again.
The feed needs no provider: it is delivered in the transaction that drains it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.events import append
from gateway.notify import addresses, repository
from gateway.notify.channels import feed
from gateway.notify.model import Address, Answer, Delivered, Delivery, Failed, Retry, Unknown
from gateway.notify.network import EMAIL, Order
from gateway.notify.repository import of_campaign, queries
from gateway.notify.send.verdict import Limits, Tried, Verdict, is_open, pause, verdict
from gateway.store import Connection, Row

_OUTCOMES = {Delivered: "delivered", Retry: "retry", Failed: "failed", Unknown: "unknown"}
NO_LONGER_OWNED = "the unit is no longer this person's"
REPLACED = "replaced or withdrawn before it was due"
_OVER = {
    "alarm": "back to normal before it was due",
    "recall": "remedied before it was due",
    "update": "updated before it was due",
    "withdrawal": "seen before it was due",
}
_ENDED = "the worker ended while it was sending; the provider may have taken it"


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that this worker sends now, and to which addresses."""

    delivery: Delivery
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Claims and records deliveries on the external channels; every method runs in the caller's transaction."""

    channels: tuple[str, ...]
    limits: Limits
    claim_timeout: timedelta
    dice: Callable[[], float]

    def claim(self, tx: Connection, channel: str, now: datetime, limit: int) -> list[ClaimedDelivery]:
        """Take what is due on a channel; what no longer matters, or has no address, is skipped with its reason."""
        rows = tx.execute(queries.claimable, {"channel": channel, "now": now, "limit": limit}).fetchall()
        return [claimed for row in rows if (claimed := self._take(tx, row, now)) is not None]

    def _take(self, tx: Connection, row: Row, now: datetime) -> ClaimedDelivery | None:
        if reason := _moot(row):
            skip(tx, row, reason, now)
            return None
        if row["follows"] and (row["acknowledged_at"] or row["read_at"]):
            skip(tx, row, f"not needed: it was seen after {row['follows']}", now)
            return None
        left = _left(tx, row, now)
        if isinstance(left, str):
            skip(tx, row, left, now)
            self._tell_next(tx, row, f"{row['channel']}: {left}", now)
            return None
        tx.execute(queries.claim, {"id": row["id"], "now": now})
        delivery = _delivery(row, row["attempts"] + 1, now)
        if not left:  # every address has had its last try; only the verdict is missing
            self.settle(tx, delivery, now)
            return None
        return ClaimedDelivery(delivery, tuple(left))

    def record(self, tx: Connection, delivery: Delivery, address: Address, answer: Answer, now: datetime) -> None:
        """Write what one try at one address came to; a dead address is retired."""
        _record(tx, delivery, address, answer, now)
        if not (isinstance(answer, Failed) and answer.retire_address):
            return
        if address.key is not None:
            addresses.retire_phone(tx, address.key, delivery.person_id, answer.reason, now)
        else:
            addresses.suppress(tx, delivery.person_id, address.value, f"it was refused ({answer.reason})", now)

    def settle(self, tx: Connection, delivery: Delivery, now: datetime, asked: timedelta | None = None) -> Verdict:
        """Decide what the tries come to. When nobody was surely reached, the next channel goes out."""
        tries = tx.execute(queries.last_tries, {"outbox_id": delivery.id}).fetchall()
        tried = [Tried(row["outcome"], row["reason"]) for row in tries]
        outcome = verdict(tried, delivery.severity, delivery.attempt, self.limits)
        waits = outcome.status == "waiting"
        numbers = [row["provider_id"] for row in tries if row["outcome"] == "delivered" and row["provider_id"]]
        ended = {
            "id": delivery.id,
            "claimed_at": delivery.claimed_at,
            "status": outcome.status,
            "reason": outcome.reason,
            "due_at": now + pause(delivery.attempt, self.limits, asked, self.dice()) if waits else None,
            "finished_at": None if waits else now,
            "provider_id": ", ".join(numbers)[:1000] or None,
        }
        if tx.execute(queries.settle, ended).fetchone() is None or waits:
            return outcome
        _say(tx, f"delivery.{outcome.status}", delivery.notice, delivery.channel, outcome.reason, delivery)
        if outcome.status != "delivered":
            row = {"notice_id": delivery.notice_id, "person_id": delivery.person_id, "channel": delivery.channel}
            self._tell_next(tx, row, f"{delivery.channel} is {outcome.status}: {outcome.reason}", now)
        return outcome

    def recover(self, tx: Connection, channel: str, now: datetime, limit: int) -> int:
        """Settle what a worker that ended had claimed. Returns how many there were."""
        before = {"channel": channel, "before": now - self.claim_timeout, "limit": limit}
        rows = tx.execute(queries.abandoned, before).fetchall()
        for row in rows:
            delivery = _delivery(row, row["attempts"], row["claimed_at"])
            for address in _unanswered(tx, row, now):
                _record(tx, delivery, address, Unknown(_ENDED), now)
            self.settle(tx, delivery, now)
        return len(rows)

    def skip_unserved(self, tx: Connection, now: datetime, limit: int) -> None:
        """Skip what waits for a channel that is not set up here (any more)."""
        parameters = {"channels": list(self.channels), "now": now, "limit": limit}
        for row in tx.execute(queries.unserved, parameters).fetchall():
            skip(tx, row, f"{row['channel']} is not set up here", now)
            self._tell_next(tx, row, f"{row['channel']} is not set up here", now)

    def _tell_next(self, tx: Connection, row: Row, reason: str, now: datetime) -> None:
        """The next channel in the person's order goes out now: brought forward when it would have followed."""
        there = {each["channel"]: each for each in tx.execute(queries.rows_of_notice, {"notice_id": row["notice_id"]})}
        for channel in self.order(tx, row["person_id"], now).channels:
            state = there.get(channel)
            if state is None:
                repository.insert_outbox(tx, row["notice_id"], channel, now, reason)
                return
            if state["status"] == "waiting" and state["follows"]:
                forward = {"notice_id": row["notice_id"], "channel": channel, "now": now, "reason": reason}
                tx.execute(queries.bring_forward, forward)
                return

    def order(self, tx: Connection, person_id: int, now: datetime) -> Order:
        """The person's channels in the order they are tried."""
        return addresses.reach(tx, person_id, now).order(now, self.channels)


def drain(tx: Connection, now: datetime, limit: int) -> int:
    """Show in the feed what is due. Returns how many. What was held is asked again whether it still matters."""
    deliveries = repository.due(tx, now, limit)
    for delivery in deliveries:
        if reason := _moot(delivery):
            skip(tx, delivery, reason, now)
        else:
            feed.deliver(tx, delivery)
            repository.finish(tx, delivery["id"], "delivered", "shown in the feed", now)
    return len(deliveries)


def _moot(row: Row) -> str | None:
    """Why a delivery that is due matters no more: whose unit it was, what became of the notice."""
    if not row["still_owned"]:
        return NO_LONGER_OWNED
    if row["state"] == "withdrawn":
        return REPLACED
    return _OVER[row["kind"]] if row["state"] == "resolved" and row["severity"] != "safety" else None


def skip(tx: Connection, row: Row, reason: str, now: datetime) -> None:
    """End a delivery that is not sent, with its reason."""
    repository.finish(tx, row["id"], "skipped", reason, now)
    data = {"notice": row["notice"], "channel": row["channel"], "reason": reason} | of_campaign(row)
    append(tx, "delivery.skipped", data, unit_id=row["unit_id"], person_id=row["person_id"])


def _say(tx: Connection, kind: str, notice: str, channel: str, reason: str, delivery: Delivery) -> None:
    data = {"notice": notice, "channel": channel, "reason": reason}
    data |= {"campaign": delivery.campaign} if delivery.campaign else {}
    append(tx, kind, data, unit_id=delivery.unit_id, person_id=delivery.person_id)


def _record(tx: Connection, delivery: Delivery, address: Address, answer: Answer, now: datetime) -> None:
    line = {
        "outbox_id": delivery.id,
        "push_token_id": address.key,
        "attempt": delivery.attempt,
        "now": now,
        "outcome": _OUTCOMES[type(answer)],
        "reason": answer.reason,
        "provider_id": answer.provider_id if isinstance(answer, Delivered) else None,
    }
    tx.execute(queries.insert_try, line)


def _left(tx: Connection, row: Row, now: datetime) -> Sequence[Address] | str:
    """The addresses that still want a try: none that confirmed or refused, and none that may have got it already."""
    tries = tx.execute(queries.last_tries, {"outbox_id": row["id"]}).fetchall()
    reachable = addresses.addresses(addresses.reach(tx, row["person_id"], now), row["channel"], row["severity"])
    if isinstance(reachable, str):
        return [] if tries else reachable
    done = {
        each["push_token_id"] for each in tries if not is_open(Tried(each["outcome"], each["reason"]), row["severity"])
    }
    return [address for address in reachable if address.key not in done]


def _unanswered(tx: Connection, row: Row, now: datetime) -> list[Address]:
    """The addresses that the ended worker may have sent to: those it wanted to try and wrote nothing about."""
    tries = tx.execute(queries.last_tries, {"outbox_id": row["id"]}).fetchall()
    answered = {each["push_token_id"] for each in tries if each["attempt"] == row["attempts"]}
    left = _left(tx, row, now)
    if isinstance(left, str):  # the address is gone since
        left = [Address("")] if row["channel"] == EMAIL else []
    return [address for address in left if address.key not in answered]


def _delivery(row: Row, attempt: int, claimed_at: datetime) -> Delivery:
    language, documents = row["language"], repository.as_written(row)
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
        serial=row["serial"],
        product=row["product"].get(language) or row["product"]["en"],
        model=row["model"],
        attempt=attempt,
        claimed_at=claimed_at,
        again=row["again"],
        follows=row["follows"],
        trace=row["trace"],
    )
