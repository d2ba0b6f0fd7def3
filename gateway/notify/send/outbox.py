"""Stage `deliver`: a delivery is claimed, sent outside any transaction, and the answers are recorded.

States: waiting -> claimed -> delivered | failed | unknown | waiting (again later); waiting -> skipped. A claim older
than `claim_timeout` is from a worker that ended: the provider may have taken the message, so the delivery is unknown,
and only safety is sent again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.reason import Reason
from gateway.events import append
from gateway.notify import addresses, repository
from gateway.notify.model import EXTERNAL, Address, Answer, Delivered, Delivery, Failed, Retry, Unknown
from gateway.notify.need import skip_reason
from gateway.notify.network import EMAIL, Order
from gateway.notify.repository import of_campaign, queries
from gateway.notify.send.verdict import Limits, Try, Verdict, is_open, pause, verdict
from gateway.store import Connection, Row

_OUTCOMES = {Delivered: "delivered", Retry: "retry", Failed: "failed", Unknown: "unknown"}
_WORKER_ENDED = "the worker ended while it was sending; the provider may have taken it"


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
        """Claim deliveries that are due on a channel. One that is not needed, or has no address, is skipped."""
        rows = tx.execute(queries.claimable, {"channel": channel, "now": now, "limit": limit}).fetchall()
        return [claimed for row in rows if (claimed := self._take(tx, row, now)) is not None]

    def _take(self, tx: Connection, row: Row, now: datetime) -> ClaimedDelivery | None:
        if reason := skip_reason(row):
            skip(tx, row, reason, now)
            return None
        if row["follows"] and (row["acknowledged_at"] or row["read_at"]):
            skip(tx, row, f"not needed: it was seen after {row['follows']}", now)
            return None
        open_addresses = _open_addresses(tx, row, now)
        if isinstance(open_addresses, str):
            skip(tx, row, open_addresses, now)
            self._tell_next(tx, row, f"{row['channel']}: {open_addresses}", now)
            return None
        tx.execute(queries.claim, {"id": row["id"], "now": now})
        delivery = _delivery(row, row["attempts"] + 1, now)
        if not open_addresses:  # every address has had its last try; only the verdict is missing
            self.settle(tx, delivery, now)
            return None
        return ClaimedDelivery(delivery, tuple(open_addresses))

    def record(self, tx: Connection, delivery: Delivery, address: Address, answer: Answer, now: datetime) -> None:
        """Store the answer to one try at one address. An address that does not exist any more is retired."""
        _record(tx, delivery, address, answer, now)
        if not (isinstance(answer, Failed) and answer.retire_address):
            return
        if address.key is not None:
            addresses.retire_phone(tx, address.key, delivery.person_id, Reason(answer.reason), now)
        else:
            addresses.suppress(
                tx, delivery.person_id, address.value, Reason.of("address-refused", reason=Reason(answer.reason)), now
            )

    def settle(self, tx: Connection, delivery: Delivery, now: datetime, least_wait: timedelta | None = None) -> Verdict:
        """Store and return the verdict on the tries of a delivery. If it did not arrive, the next channel is due."""
        rows = tx.execute(queries.last_tries, {"outbox_id": delivery.id}).fetchall()
        tries = [Try(row["outcome"], row["reason"]) for row in rows]
        outcome = verdict(tries, delivery.severity, delivery.attempt, self.limits)
        is_waiting = outcome.status == "waiting"
        provider_ids = [row["provider_id"] for row in rows if row["outcome"] == "delivered" and row["provider_id"]]
        parameters = {
            "id": delivery.id,
            "claimed_at": delivery.claimed_at,
            "status": outcome.status,
            "reason": outcome.reason,
            "due_at": now + pause(delivery.attempt, self.limits, least_wait, self.dice()) if is_waiting else None,
            "finished_at": None if is_waiting else now,
            "provider_id": ", ".join(provider_ids)[:1000] or None,
        }
        if tx.execute(queries.settle, parameters).fetchone() is None or is_waiting:
            return outcome
        _append_event(tx, f"delivery.{outcome.status}", delivery.notice, delivery.channel, outcome.reason, delivery)
        if outcome.status != "delivered":
            row = {"notice_id": delivery.notice_id, "person_id": delivery.person_id, "channel": delivery.channel}
            self._tell_next(tx, row, f"{delivery.channel} is {outcome.status}: {outcome.reason}", now)
        return outcome

    def recover(self, tx: Connection, channel: str, now: datetime, limit: int) -> int:
        """Settle the deliveries that a worker claimed before it ended. Returns the number of them."""
        parameters = {"channel": channel, "before": now - self.claim_timeout, "limit": limit}
        rows = tx.execute(queries.abandoned, parameters).fetchall()
        for row in rows:
            delivery = _delivery(row, row["attempts"], row["claimed_at"])
            for address in _unanswered_addresses(tx, row, now):
                _record(tx, delivery, address, Unknown(_WORKER_ENDED), now)
            self.settle(tx, delivery, now)
        return len(rows)

    def skip_unserved(self, tx: Connection, now: datetime, limit: int) -> None:
        """Skip deliveries on channels that are not set up here (any more)."""
        if set(EXTERNAL) <= set(self.channels):  # else every turn looked through all that waits
            return
        parameters = {"channels": list(self.channels), "now": now, "limit": limit}
        for row in tx.execute(queries.unserved, parameters).fetchall():
            skip(tx, row, f"{row['channel']} is not set up here", now)
            self._tell_next(tx, row, f"{row['channel']} is not set up here", now)

    def _tell_next(self, tx: Connection, row: Row, reason: str, now: datetime) -> None:
        """Make the next channel in the person's order due now, by a new delivery or by the one that would follow."""
        rows = tx.execute(queries.rows_of_notice, {"notice_id": row["notice_id"]})
        deliveries = {delivery["channel"]: delivery for delivery in rows}
        for channel in self.order(tx, row["person_id"], now).channels:
            delivery = deliveries.get(channel)
            if delivery is None:
                repository.insert_outbox(tx, row["notice_id"], channel, now, Reason(reason))
                return
            if delivery["status"] == "waiting" and delivery["follows"]:
                parameters = {"notice_id": row["notice_id"], "channel": channel, "now": now, "reason": reason}
                tx.execute(queries.bring_forward, parameters)
                return

    def order(self, tx: Connection, person_id: int, now: datetime) -> Order:
        """Returns the person's channels in the order in which they are tried."""
        return addresses.reach(tx, person_id, now).order(now, self.channels)


def skip(tx: Connection, row: Row, reason: str, now: datetime) -> None:
    """End a delivery that is not sent, with its reason."""
    repository.finish(tx, row["id"], "skipped", reason, now)
    data = {"notice": row["notice"], "channel": row["channel"], "reason": Reason(reason).data} | of_campaign(row)
    append(tx, "delivery.skipped", data, unit_id=row["unit_id"], person_id=row["person_id"])


def _append_event(tx: Connection, kind: str, notice: str, channel: str, reason: str, delivery: Delivery) -> None:
    data = {"notice": notice, "channel": channel, "reason": Reason(reason).data}
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


def _open_addresses(tx: Connection, row: Row, now: datetime) -> Sequence[Address] | str:
    """Returns the addresses to try, without those that took, refused or may have got it; or why there is none."""
    tries = tx.execute(queries.last_tries, {"outbox_id": row["id"]}).fetchall()
    reachable = addresses.addresses(addresses.reach(tx, row["person_id"], now), row["channel"], row["severity"])
    if isinstance(reachable, str):
        return [] if tries else reachable
    done = {
        item["push_token_id"] for item in tries if not is_open(Try(item["outcome"], item["reason"]), row["severity"])
    }
    return [address for address in reachable if address.key not in done]


def _unanswered_addresses(tx: Connection, row: Row, now: datetime) -> list[Address]:
    """Returns the addresses that a worker may have sent to before it ended: those to try without a stored answer."""
    tries = tx.execute(queries.last_tries, {"outbox_id": row["id"]}).fetchall()
    answered_keys = {item["push_token_id"] for item in tries if item["attempt"] == row["attempts"]}
    open_addresses = _open_addresses(tx, row, now)
    if isinstance(open_addresses, str):  # the address is gone since
        open_addresses = [Address("")] if row["channel"] == EMAIL else []
    return [address for address in open_addresses if address.key not in answered_keys]


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
        time_zone=row["time_zone"],
        serial=row["serial"],
        product=row["product"].get(language) or row["product"]["en"],
        model=row["model"],
        attempt=attempt,
        claimed_at=claimed_at,
        again=row["again"],
        follows=row["follows"],
        trace=row["trace"],
    )
