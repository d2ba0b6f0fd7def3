"""Notices that a channel did not bring to their people go out on the next one, many in a statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.core.reason import Reason
from gateway.notify import addresses
from gateway.notify.repository import queries
from gateway.store import Connection, Row


@dataclass(frozen=True, slots=True)
class Unreached:
    """A notice that did not reach its person on a channel, and why."""

    notice_id: int
    person_id: int
    reason: Reason


def tell_next(tx: Connection, unreached: Sequence[Unreached], channels: Collection[str], now: datetime) -> None:
    """Make the next channel in each person's order due now, by a new delivery or by the one that would follow."""
    if not unreached:
        return
    reaches = addresses.reaches(tx, {each.person_id for each in unreached}, now)
    rows = tx.execute(queries.rows_of_notices, {"notice_ids": [each.notice_id for each in unreached]})
    deliveries = {(row["notice_id"], row["channel"]): row for row in rows}
    new: list[tuple[Unreached, str]] = []
    forward: list[tuple[Unreached, str]] = []
    for each in unreached:
        for channel in reaches[each.person_id].order(now, channels).channels:
            delivery = deliveries.get((each.notice_id, channel))
            if delivery is None:
                new.append((each, channel))
                break
            if _follows(delivery):
                forward.append((each, channel))
                break
    if new:
        tx.execute(queries.insert_next, _parameters(new, now))
    if forward:
        tx.execute(queries.bring_forward, _parameters(forward, now))


def _follows(delivery: Row) -> bool:
    return delivery["status"] == "waiting" and delivery["follows"] is not None


def _parameters(chosen: Sequence[tuple[Unreached, str]], now: datetime) -> Row:
    return {
        "notice_ids": [each.notice_id for each, _ in chosen],
        "channels": [channel for _, channel in chosen],
        "reasons": [each.reason for each, _ in chosen],
        "now": now,
    }
