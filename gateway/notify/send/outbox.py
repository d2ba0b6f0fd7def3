"""Stage `deliver`, first part: deliveries are claimed, and those that are not needed are skipped, many in a statement.

States: waiting -> claimed -> delivered | failed | unknown | waiting (again later); waiting -> skipped. A claim older
than `claim_timeout` is from a worker that ended: the provider may have taken the message, so the delivery is unknown,
and only safety is sent again. results.py is the second part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.reason import Reason
from gateway.events import append_each
from gateway.notify.channels.registry import CHANNELS
from gateway.notify.model import Unknown
from gateway.notify.need import skip_reason
from gateway.notify.repository import of_campaign, queries
from gateway.notify.send.deliveries import (
    Claim,
    claim_of,
    last_tries,
    open_addresses,
    tries_by_address,
    unanswered_addresses,
)
from gateway.notify.send.next_channel import Unreached, tell_next
from gateway.notify.send.results import Answered, Results
from gateway.store import Connection, Row

_WORKER_ENDED = Reason.of("worker-ended")


@dataclass(frozen=True, slots=True)
class Outbox:
    """Claims deliveries on the external channels; every method runs in the caller's transaction."""

    channels: tuple[str, ...]
    results: Results
    claim_timeout: timedelta

    def claim(self, tx: Connection, channel: str, now: datetime, limit: int) -> list[Claim]:
        """Claim deliveries that are due on a channel. One that is not needed, or has no address, is skipped."""
        rows = tx.execute(queries.claim, {"channel": channel, "now": now, "limit": limit}).fetchall()
        needed, skips = _needed(rows)
        tries = last_tries(tx, [row["id"] for row in needed if row["attempts"] > 1])
        reachable = CHANNELS[channel].reachable(tx, {row["person_id"] for row in needed}) if needed else {}
        claims: list[Claim] = []
        unreached: list[Unreached] = []
        for row in needed:
            earlier = tries_by_address(tries.get(row["id"], ()))
            found = open_addresses(reachable[row["person_id"]], row["severity"], earlier)
            if isinstance(found, str):
                skips.append((row, found))
                unreached.append(
                    Unreached(
                        row["notice_id"], row["person_id"], Reason.of("follows-skipped", channel=channel, reason=found)
                    )
                )
            else:
                again = any(each["again"] for each in tries.get(row["id"], ()))
                claims.append(claim_of(row, found, earlier, again=again))
        skip(tx, skips, now)
        tell_next(tx, unreached, self.channels, now)
        # Where every address has had its last try, only the verdict is missing.
        self.results.settle(tx, [claim for claim in claims if not claim.addresses], now)
        return [claim for claim in claims if claim.addresses]

    def recover(self, tx: Connection, channel: str, now: datetime, limit: int) -> int:
        """Settle the deliveries that a worker claimed before it ended. Returns the number of them."""
        parameters = {"channel": channel, "before": now - self.claim_timeout, "limit": limit, "now": now}
        rows = tx.execute(queries.abandoned, parameters).fetchall()
        if not rows:
            return 0
        tries = last_tries(tx, [row["id"] for row in rows])
        reachable = CHANNELS[channel].reachable(tx, {row["person_id"] for row in rows})
        claims = [claim_of(row, (), tries_by_address(tries.get(row["id"], ())), again=False) for row in rows]
        unanswered: list[Answered] = []
        for row, claim in zip(rows, claims, strict=True):
            found = reachable[row["person_id"]]
            for address in unanswered_addresses(found, row["severity"], tries.get(row["id"], ()), row["attempts"]):
                answer = Unknown(_WORKER_ENDED)
                claim.note(address, answer)
                unanswered.append(Answered(claim, address, answer))
        self.results.record(tx, unanswered, claims, now)
        return len(rows)

    def skip_unserved(self, tx: Connection, now: datetime, limit: int) -> int:
        """Skip deliveries on channels that are not set up here (any more). Returns the number of them."""
        parameters = {"channels": list(self.channels), "now": now, "limit": limit}
        rows = tx.execute(queries.unserved, parameters).fetchall()
        reasons = [Reason.of("not-set-up", channel=row["channel"]) for row in rows]
        skip(tx, list(zip(rows, reasons, strict=True)), now)
        unreached = [
            Unreached(row["notice_id"], row["person_id"], reason) for row, reason in zip(rows, reasons, strict=True)
        ]
        tell_next(tx, unreached, self.channels, now)
        return len(rows)


def _needed(rows: Sequence[Row]) -> tuple[list[Row], list[tuple[Row, Reason]]]:
    """Returns the rows that are needed, and the others with their reasons."""
    needed, skips = [], []
    for row in rows:
        reason = skip_reason(row)
        if reason is None and row["follows"] and (row["acknowledged_at"] or row["read_at"]):
            reason = Reason.of("seen-after", channel=row["follows"])
        if reason is None:
            needed.append(row)
        else:
            skips.append((row, reason))
    return needed, skips


def skip(tx: Connection, skips: Sequence[tuple[Row, Reason]], now: datetime) -> None:
    """End deliveries that are not sent, each with its reason."""
    if not skips:
        return
    parameters = {"ids": [row["id"] for row, _ in skips], "reasons": [reason for _, reason in skips], "now": now}
    tx.execute(queries.skip, parameters)
    events = [
        (
            row["unit_id"],
            row["person_id"],
            {"notice": row["notice"], "channel": row["channel"], "reason": reason.data} | of_campaign(row),
        )
        for row, reason in skips
    ]
    append_each(tx, "delivery.skipped", events)
