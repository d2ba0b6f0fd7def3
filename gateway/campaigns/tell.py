"""The worker's turn on campaigns: it looks at the units that are due and asks the stages for them, in sets.

A unit is due after publishing, after somebody registered it, and when an ownership begins. Everything about a set is
done in one transaction, so a worker that is killed has done all of it or nothing.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.campaigns.bulletin import CampaignTexts, bulletin
from gateway.campaigns.follow import resolve_closed
from gateway.campaigns.repository import as_written, queries
from gateway.events import append
from gateway.events.dead_letters import pause_after
from gateway.notify import repository as notify
from gateway.notify.model import EarlierNotice, Facts, Policy, Stage
from gateway.notify.service import tell
from gateway.registrations.model import Owner
from gateway.store import Connection, Row, holds_up_all
from gateway.store.halved import in_halves

log = logging.getLogger(__name__)

_AT_ONCE = 20
"""Campaigns that one turn looks at: each gets a share of it, so that a small one does not wait for a large one."""
_HOUR = timedelta(hours=1)


def tell_due(tx: Connection, now: datetime, limit: int, policy: Policy, stages: Sequence[Stage]) -> int:
    """Look at the units that are due, what is about safety first. Returns the number of them."""
    campaigns = tx.execute(queries.campaigns_due, {"now": now, "limit": _AT_ONCE}).fetchall()
    unit_count = 0
    for is_update in (False, True):
        group = [row for row in campaigns if (row["kind"] == "update") == is_update]
        share = max(1, (limit - unit_count) // len(group)) if group else 0
        for row in group:
            if unit_count >= limit:
                return unit_count
            units = _due(tx, row["id"], now, share)
            if units:
                _tell_or_put_off(tx, row, units, now, policy, stages)
                unit_count += len(units)
                log.info("%s: %d units looked at (stage=record).", row["number"], len(units))
    return unit_count


def _due(tx: Connection, campaign_id: int, now: datetime, limit: int) -> list[Row]:
    """Returns units to look at, with the further ones of their owners, so that each owner gets one message."""
    parameters = {"id": campaign_id, "now": now, "limit": limit}
    units = tx.execute(queries.due, parameters).fetchall()
    if len(units) < limit:  # there are no more
        return units
    unit_ids = [unit["unit_id"] for unit in units]
    return units + tx.execute(queries.due_of_owners, parameters | {"unit_ids": unit_ids}).fetchall()


def _tell_or_put_off(
    tx: Connection, row: Row, units: Sequence[Row], now: datetime, policy: Policy, stages: Sequence[Stage]
) -> None:
    """Notify owners of a campaign. One that cannot be read is put off, longer each time, and holds up no other."""
    try:
        with tx.transaction():
            _tell(tx, as_written(row), units, now, policy, stages)
            if row["tell_tries"]:
                tx.execute(queries.told_again, {"id": row["id"]})
    except Exception as error:
        if holds_up_all(error):
            raise
        log.exception("%s cannot be told; it is tried again later.", row["number"])
        if not row["tell_tries"]:
            append(tx, "event.unhandled", _failure_data(row, error))
        tries = row["tell_tries"] + 1
        tx.execute(queries.put_off, {"id": row["id"], "tries": tries, "due_at": now + pause_after(tries)})


def _tell(
    tx: Connection, campaign: Row, units: Sequence[Row], now: datetime, policy: Policy, stages: Sequence[Stage]
) -> None:
    formers = tx.execute(queries.formers, {"supersedes": campaign["supersedes"]}).fetchall()
    texts = CampaignTexts.of(campaign, formers)
    notify.keep_campaign_texts(tx, campaign["id"], texts.documents())
    former_ids = [former["id"] for former in formers]
    in_halves(
        tx,
        sorted(units, key=_owner),
        lambda part: _tell_set(tx, texts, former_ids, part, now, policy, stages),
        lambda unit, error: _look_later(tx, campaign, unit, error, now),
        group=_owner,
    )


def _owner(unit: Row) -> tuple[bool, int]:
    """The owner, whose units are told of in one message; a unit without one is by itself."""
    return (True, unit["person_id"]) if unit["person_id"] is not None else (False, unit["unit_id"])


def _tell_set(
    tx: Connection,
    texts: CampaignTexts,
    former_ids: Sequence[int],
    units: Sequence[Row],
    now: datetime,
    policy: Policy,
    stages: Sequence[Stage],
) -> None:
    """Ask the stages about units and record the outcomes, all or none."""
    campaign_id = texts.campaign["id"]
    parameters = {"id": campaign_id, "now": now, "unit_ids": [unit["unit_id"] for unit in units]}
    # A separate statement sees all that was committed before the units were locked; later changes have their own event.
    rows = tx.execute(queries.facts, parameters | {"formers": list(former_ids), "below": texts.below}).fetchall()
    tx.execute(queries.looked_at, parameters)
    by_id = {unit["unit_id"]: unit for unit in units}
    rows = [by_id[row["unit_id"]] | row for row in rows]
    updated = [row["unit_id"] for row in rows if row["reached"] and row["standing"] == "affected"]
    if updated:
        tx.execute(queries.close_units, parameters | {"unit_ids": updated})
        resolve_closed(tx, [(unit_id, campaign_id) for unit_id in updated], now)
    closed = set(updated)
    open_rows = [row for row in rows if row["unit_id"] not in closed]
    times: dict[int, tuple[datetime, ...]] = {}
    if texts.severity != "safety":  # which never waits
        people = {row["person_id"] for row in open_rows if row["person_id"] is not None}
        times = notify.notice_times(tx, people, now - _HOUR)
    tell(tx, [_facts(texts, row, times, now, policy) for row in open_rows], stages, now)


def _look_later(tx: Connection, campaign: Row, unit: Row, error: Exception, now: datetime) -> None:
    """Look again later at a unit that cannot be told; the log says so once."""
    log.error("%s: unit %d cannot be told of it.", campaign["number"], unit["unit_id"], exc_info=error)
    if not unit["tries"]:
        append(tx, "event.unhandled", _failure_data(campaign, error), unit_id=unit["unit_id"])
    tries = unit["tries"] + 1
    retry = {"id": campaign["id"], "unit_id": unit["unit_id"], "tries": tries, "due_at": now + pause_after(tries)}
    tx.execute(queries.look_later, retry)


def _failure_data(campaign: Row, error: Exception) -> dict[str, Any]:
    """Returns the data of the event: of the error only its kind, since its words may hold names and addresses."""
    return {"of": campaign["number"], "campaign": campaign["public_id"], "error": type(error).__name__}


def _facts(
    texts: CampaignTexts, row: Row, times: dict[int, tuple[datetime, ...]], now: datetime, policy: Policy
) -> Facts:
    subject = bulletin(texts, row["unit_id"], row["standing"], row["matched"])
    owner = earlier = None
    recent_times: tuple[datetime, ...] = ()
    if row["person_id"] is not None:
        owner = Owner(row["person_id"], row["person"], row["name"], row["email"], row["language"], row["since"])
        recent_times = times.get(owner.person_id, ())
    if row["notice_id"] is not None:
        earlier = EarlierNotice(row["notice_id"], row["notice"], row["severity"], row["state"], row["updated_at"])
    return Facts(subject, owner, earlier, recent_times, now, policy, row["told_of_former"])
