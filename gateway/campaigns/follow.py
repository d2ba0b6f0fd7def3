"""What happens to units after publishing: somebody registers one, an ownership begins, a device reports its version."""

from collections.abc import Sequence
from datetime import datetime

from gateway.campaigns.candidates import note_change
from gateway.campaigns.repository import queries
from gateway.events import Event, append_each
from gateway.store import Connection

_NEW_OWNER = frozenset({"unit.claimed"})


def follow(tx: Connection, event: Event, now: datetime) -> None:
    """Act on an event: look at its unit again, close it in updates, compare it with published audiences."""
    note_change(tx, event, now)
    if event.unit_id is None or event.kind not in {*_NEW_OWNER, "unit.firmware_reported"}:
        return
    unit = {"unit_id": event.unit_id, "now": now}
    ids = [row["id"] for row in tx.execute(queries.hold_of_unit, unit)]
    if not ids:
        return
    if event.kind in _NEW_OWNER:
        tx.execute(queries.look_again, unit | {"ids": ids})
        return
    parameters = unit | {"ids": ids, "firmware": event.data["firmware"]}
    campaign_ids = [row["campaign_id"] for row in tx.execute(queries.close, parameters)]
    resolve_closed(tx, [event.unit_id], campaign_ids, now)


def owners_began(tx: Connection, unit_ids: Sequence[int], now: datetime) -> None:
    """Have the worker look again at units whose ownership began by an import."""
    tx.execute(queries.hold_published)
    tx.execute(queries.look_again_at_all, {"unit_ids": list(unit_ids), "now": now})


def resolve_closed(tx: Connection, unit_ids: Sequence[int], ids: Sequence[int], now: datetime) -> None:
    """Resolve the units' open notices of campaigns that were closed for them, and write their events."""
    parameters = {"unit_ids": list(unit_ids), "ids": list(ids), "now": now}
    rows = [
        (row["unit_id"], row["person_id"], {"notice": row["public_id"], "campaign": row["campaign"]})
        for row in tx.execute(queries.resolve_closed, parameters)
    ]
    append_each(tx, "notice.resolved", rows)
