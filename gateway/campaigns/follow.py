"""What happens to units after publishing: somebody registers one, an ownership begins, a device reports its version."""

from collections.abc import Sequence
from datetime import datetime

from gateway.campaigns.candidates import UNIT_CHANGED, compare_units
from gateway.campaigns.repository import queries
from gateway.events import Event, append_each
from gateway.store import Connection

_NEW_OWNER = frozenset({"unit.claimed"})


def follow(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Act on events of units: look at them again, close them in updates, compare them with published audiences."""
    compare_units(tx, [event.unit_id for event in events if event.kind in UNIT_CHANGED], now)
    unit_ids = [event.unit_id for event in events]
    ids = [row["id"] for row in tx.execute(queries.hold_of_units, {"unit_ids": unit_ids})]
    if not ids:
        return
    claimed = [event.unit_id for event in events if event.kind in _NEW_OWNER]
    if claimed:
        tx.execute(queries.look_again, {"unit_ids": claimed, "ids": ids, "now": now})
    reported = [event for event in events if event.kind in UNIT_CHANGED]
    if reported:
        parameters = {
            "unit_ids": [event.unit_id for event in reported],
            "firmwares": [event.data["firmware"] for event in reported],
        }
        closed = tx.execute(queries.close, parameters | {"ids": ids, "now": now}).fetchall()
        resolve_closed(tx, [(row["unit_id"], row["campaign_id"]) for row in closed], now)


def owners_began(tx: Connection, unit_ids: Sequence[int], now: datetime) -> None:
    """Have the worker look again at units whose ownership began by an import."""
    tx.execute(queries.hold_published)
    tx.execute(queries.look_again_at_all, {"unit_ids": list(unit_ids), "now": now})


def resolve_closed(tx: Connection, closed: Sequence[tuple[int, int]], now: datetime) -> None:
    """Resolve the open notices of (unit, campaign) that were closed, and write their events."""
    parameters = {"unit_ids": [unit for unit, _ in closed], "ids": [campaign for _, campaign in closed], "now": now}
    rows = [
        (row["unit_id"], row["person_id"], {"notice": row["public_id"], "campaign": row["campaign"]})
        for row in tx.execute(queries.resolve_closed, parameters)
    ]
    append_each(tx, "notice.resolved", rows)
