"""Stage `deliver`, second part: what came of the tries is recorded, many in a statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.core.reason import Reason
from gateway.events import append_each
from gateway.notify.channels.channel import Refused
from gateway.notify.channels.registry import CHANNELS
from gateway.notify.model import Address, Answer, Delivery, Failed
from gateway.notify.repository import queries
from gateway.notify.send.deliveries import Claim, try_of
from gateway.notify.send.next_channel import Unreached, tell_next
from gateway.notify.send.verdict import Limits, Verdict, pause, verdict
from gateway.store import Connection


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one try at one address."""

    claim: Claim
    address: Address
    answer: Answer


@dataclass(frozen=True, slots=True)
class Results:
    """Records answers and how deliveries ended; every method runs in the caller's transaction."""

    channels: tuple[str, ...]
    limits: Limits
    dice: Callable[[], float]

    def record(self, tx: Connection, answers: Sequence[Answered], finished: Sequence[Claim], now: datetime) -> None:
        """Store answers, retire addresses that do not exist any more, then settle the deliveries that are finished."""
        if answers:
            tx.execute(queries.insert_tries, _tries(answers, now))
            _retire(tx, answers, now)
        self.settle(tx, finished, now)

    def settle(self, tx: Connection, finished: Sequence[Claim], now: datetime) -> None:
        """Store the verdicts on deliveries. For those that did not arrive the next channel is due."""
        if not finished:
            return
        verdicts = [
            (claim, verdict(list(claim.tries.values()), claim.delivery.severity, claim.delivery.attempt, self.limits))
            for claim in finished
        ]
        settled = {row["id"] for row in tx.execute(queries.settle, self._settlement(verdicts, now))}
        ended = [
            (claim.delivery, outcome)
            for claim, outcome in verdicts
            if claim.delivery.id in settled and outcome.status != "waiting"
        ]
        _append_events(tx, ended)
        tell_next(tx, [_unreached(*each) for each in ended if each[1].status != "delivered"], self.channels, now)

    def _settlement(self, verdicts: Sequence[tuple[Claim, Verdict]], now: datetime) -> dict[str, Any]:
        return {
            "ids": [claim.delivery.id for claim, _ in verdicts],
            "claims": [claim.delivery.claimed_at for claim, _ in verdicts],
            "statuses": [outcome.status for _, outcome in verdicts],
            "reasons": [outcome.reason for _, outcome in verdicts],
            "due": [
                self._due_again(claim, now) if outcome.status == "waiting" else None for claim, outcome in verdicts
            ],
            "finished": [None if outcome.status == "waiting" else now for _, outcome in verdicts],
            "provider_ids": [_provider_ids(claim) for claim, _ in verdicts],
        }

    def _due_again(self, claim: Claim, now: datetime) -> datetime:
        return now + pause(claim.delivery.attempt, self.limits, claim.least_wait, self.dice())


def _tries(answers: Sequence[Answered], now: datetime) -> dict[str, Any]:
    tries = [try_of(each.answer) for each in answers]
    return {
        "outbox_ids": [each.claim.delivery.id for each in answers],
        "keys": [each.address.key for each in answers],
        "attempts": [each.claim.delivery.attempt for each in answers],
        "outcomes": [item.outcome for item in tries],
        "reasons": [item.reason for item in tries],
        "provider_ids": [item.provider_id for item in tries],
        "now": now,
    }


def _retire(tx: Connection, answers: Sequence[Answered], now: datetime) -> None:
    """Send no more to addresses that do not exist any more."""
    refused: dict[str, list[Refused]] = {}
    for each in answers:
        if isinstance(each.answer, Failed) and each.answer.retire_address:
            delivery = each.claim.delivery
            refused.setdefault(delivery.channel, []).append(
                Refused(delivery.person_id, each.address, each.answer.reason)
            )
    for channel, addresses in refused.items():
        CHANNELS[channel].retire(tx, addresses, now)


def _append_events(tx: Connection, ended: Sequence[tuple[Delivery, Verdict]]) -> None:
    for status in dict.fromkeys(outcome.status for _, outcome in ended):
        events = [
            (delivery.unit_id, delivery.person_id, _event(delivery, outcome))
            for delivery, outcome in ended
            if outcome.status == status
        ]
        append_each(tx, f"delivery.{status}", events)


def _event(delivery: Delivery, outcome: Verdict) -> dict[str, Any]:
    data = {"notice": delivery.notice, "channel": delivery.channel, "reason": outcome.reason.data}
    return data | {"campaign": delivery.campaign} if delivery.campaign else data


def _unreached(delivery: Delivery, outcome: Verdict) -> Unreached:
    reason = Reason.of("follows-failed", channel=delivery.channel, reason=outcome.reason)
    return Unreached(delivery.notice_id, delivery.person_id, reason)


def _provider_ids(claim: Claim) -> str | None:
    numbers = [each.provider_id for each in claim.tries.values() if each.outcome == "delivered" and each.provider_id]
    return ", ".join(numbers)[:1000] or None
