"""Units that match a published campaign after its audience was frozen: they are counted and shown, not notified.

The frozen audience stays what two people approved. An owner's page compares their unit itself (view my_check), so it
is right before this module has run.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from gateway.campaigns.audience import audience_parameters, stored_audience
from gateway.campaigns.repository import as_written, queries
from gateway.events import Event, append
from gateway.store import SQL, Connection, Row, holds_up_all

log = logging.getLogger(__name__)

UNIT_CHANGED = frozenset({"unit.firmware_reported"})
"""Events about one unit after which it is compared."""
UNITS_CHANGED = frozenset({"units.imported"})
"""Events about many units, without their ids, after which all units are compared."""
_RETRY_AFTER = timedelta(minutes=5)
TURN = 2_000
"""The most units that are added, or removed, in one transaction."""


def compare_all(tx: Connection, event: Event, now: datetime) -> None:
    """Have all units compared with the published campaigns after an event about many."""
    if event.kind in UNITS_CHANGED:
        tx.execute(queries.ask_recheck, {"now": now})


def compare_units(tx: Connection, unit_ids: Sequence[int | None], now: datetime) -> None:
    """Compare units with the published campaigns of their products."""
    if not unit_ids:
        return
    for campaign in tx.execute(queries.live_of_units, {"unit_ids": list(unit_ids)}).fetchall():
        with _isolated(tx, campaign, now):
            parameters = _parameters(campaign, now) | {"unit_ids": campaign["unit_ids"]}
            _tell_staff(tx, campaign, _counts(tx, queries.compare_units, parameters))


def find_candidates(tx: Connection, now: datetime) -> int:
    """Compare one campaign that is due with all units of its product. Returns the number of campaigns, 0 or 1.

    Units beyond TURN are found in the next calls.
    """
    campaign = tx.execute(queries.recheck, {"now": now}).fetchone()
    if campaign is None:
        return 0
    with _isolated(tx, campaign, now):
        _find(tx, campaign, now)
    return 1


@contextmanager
def _isolated(tx: Connection, campaign: Row, now: datetime) -> Iterator[None]:
    """Put a campaign off when the block fails (say, a newer version wrote it), so that it holds up no other."""
    try:
        with tx.transaction():
            yield
    except Exception as error:
        if holds_up_all(error):
            raise
        log.exception("%s cannot be compared with the units of now; it is tried again later.", campaign["number"])
        tx.execute(queries.recheck_on, {"id": campaign["id"], "now": now + _RETRY_AFTER})


def _find(tx: Connection, campaign: Row, now: datetime) -> None:
    counts = _counts(tx, queries.find_candidates, _parameters(campaign, now) | {"limit": TURN})
    if TURN in counts.values():  # there may be more
        tx.execute(queries.recheck_on, {"id": campaign["id"], "now": now})
    _tell_staff(tx, campaign, counts)
    log.info("%s: %d more units match, and %d no more.", campaign["number"], counts["added"], counts["gone"])


def _counts(tx: Connection, query: SQL, parameters: Row) -> Row:
    """Returns the number of units added, and removed (`gone`)."""
    counts = tx.execute(query, parameters).fetchone()
    assert counts is not None  # noqa: S101 - a SELECT without FROM returns a row
    return counts


def forget_candidates(connection: Connection, before: datetime, limit: int) -> int:
    """Forget some candidates of campaigns that ended before a moment. Returns the number of them."""
    return connection.execute(queries.forget_candidates, {"before": before, "limit": limit}).rowcount


def _tell_staff(tx: Connection, campaign: Row, counts: Row) -> None:
    """Write the event after which pages that show the campaign load it again."""
    if any(counts.values()):
        data = {"campaign": campaign["public_id"], "number": campaign["number"]}
        append(tx, "campaign.joined", data | {"units": counts["added"], "left": counts["gone"]})


def _parameters(campaign: Row, now: datetime) -> Row:
    audience = stored_audience(as_written(campaign)["audience"])
    return audience_parameters(audience) | {"id": campaign["id"], "product_id": campaign["product_id"], "now": now}
