"""How far campaigns came: figures that triggers keep in the transactions that change them (migration 0023).

The worker takes up units that changed hands, and replaces many rows of figures by their sums.
"""

from collections.abc import Sequence
from datetime import datetime

from gateway.campaigns.repository import FIGURE_ROWS_MAX, queries
from gateway.notify.channels.registry import CHANNELS
from gateway.store import Connection, Row
from gateway.store.locks import Lock, hold_shared, try_hold

_UNITS = ("units", "registered", "notified", "seen", "acknowledged", "closed")
_AS_THEY_ARE = ("delivered", "opened", "unknown", "failed", "skipped")
_WAITING = ("waiting", "claimed")
_ROWS_AT_ONCE = 10_000


def progress(connection: Connection, ids: Sequence[int], now: datetime) -> dict[int, Row]:
    """Returns the progress of published campaigns, by row id, each with its channels."""
    figures: dict[int, dict[str, dict[str, int]]] = {}
    for row in connection.execute(queries.progress, {"ids": list(ids), "now": now}):
        of_channel = figures.setdefault(row["campaign_id"], {}).setdefault(row["channel"], {})
        of_channel[row["figure"]] = row["amount"]
    return {campaign_id: _progress(by_channel) for campaign_id, by_channel in figures.items()}


def _progress(by_channel: dict[str, dict[str, int]]) -> Row:
    units = by_channel.pop("", {})
    counted = {name: units.get(name, 0) for name in _UNITS}
    return counted | {
        "unregistered": counted["units"] - counted["registered"],
        "pending": units.get("due", 0) - units.get("later", 0),
        "channels": [_channel(name, by_channel[name]) for name in sorted(by_channel, key=["feed", *CHANNELS].index)],
    }


def _channel(name: str, figures: dict[str, int]) -> Row:
    counted = {figure: figures.get(figure, 0) for figure in _AS_THEY_ARE}
    counted["waiting"] = sum(figures.get(status, 0) for status in _WAITING)
    sent = sum(counted.values()) - counted["opened"]
    return {"channel": name, "sent": sent} | counted


def hold_owners(tx: Connection) -> None:
    """Have no new owner taken up until `tx` ends; call it before an audience is frozen with its owners."""
    hold_shared(tx, Lock.CAMPAIGN_OWNERS)


def take_up_owners(tx: Connection, now: datetime, limit: int) -> int:
    """Let some units in campaigns that changed hands count for their new owners. Returns the number of changes."""
    if not try_hold(tx, Lock.CAMPAIGN_OWNERS):
        return 0
    row = tx.execute(queries.take_up_owners, {"now": now, "limit": limit}).fetchone()
    return int(row["changes"]) if row else 0


def sum_figures(tx: Connection) -> int:
    """Replace the figures of campaigns by their sums where they are in many rows. Returns the number of sums."""
    rows = tx.execute(queries.campaigns_to_sum, {"most": FIGURE_ROWS_MAX}).fetchall()
    limit = {"limit": _ROWS_AT_ONCE}
    return sum(tx.execute(queries.sum_figures, {"id": row["campaign_id"]} | limit).rowcount for row in rows)
