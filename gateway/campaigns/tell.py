"""The worker's turn on campaigns: it looks at the units that are due and asks the stages for each, once.

A unit is due after publishing, after somebody registered it, and when an ownership begins. Everything about a unit is
done in one transaction, so a worker that is killed has done all of it or nothing.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.campaigns.bulletin import CampaignTexts, bulletin
from gateway.campaigns.follow import resolve_closed
from gateway.campaigns.repository import as_written, queries
from gateway.events import append
from gateway.events.dead_letters import pause_after
from gateway.notify import repository as notify
from gateway.notify.model import EarlierNotice, Facts, Policy, Stage
from gateway.notify.service import tell, tell_nobody
from gateway.registrations.model import Owner
from gateway.store import Connection, Row, holds_up_all

log = logging.getLogger(__name__)


def tell_due(tx: Connection, now: datetime, limit: int, policy: Policy, stages: Sequence[Stage]) -> int:
    """Look at the units that are due, what is about safety first. Returns the number of them."""
    unit_count = 0
    for row in tx.execute(queries.campaigns_due, {"now": now}).fetchall():
        due = {"id": row["id"], "now": now, "limit": limit - unit_count}
        units = {unit["unit_id"]: unit for unit in tx.execute(queries.due, due)}
        if units:
            _tell_or_put_off(tx, row, units, now, policy, stages)
            unit_count += len(units)
            log.info("%s: %d units looked at (stage=address).", row["number"], len(units))
        if unit_count >= limit:
            break
    return unit_count


def _tell_or_put_off(
    tx: Connection, row: Row, units: dict[int, Row], now: datetime, policy: Policy, stages: Sequence[Stage]
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
    tx: Connection, campaign: Row, units: dict[int, Row], now: datetime, policy: Policy, stages: Sequence[Stage]
) -> None:
    formers = tx.execute(queries.formers, {"supersedes": campaign["supersedes"]}).fetchall()
    texts = CampaignTexts.of(campaign, formers)
    # A separate statement sees all that was committed before the units were locked; later changes have their own event.
    fact_rows = tx.execute(
        queries.facts,
        {
            "id": campaign["id"],
            "unit_ids": list(units),
            "formers": [former["id"] for former in formers],
            "below": texts.below,
            "now": now,
        },
    ).fetchall()
    parameters = {"id": campaign["id"], "now": now}
    tx.execute(queries.looked_at, parameters | {"unit_ids": list(units)})
    rows = [units[row["unit_id"]] | row for row in fact_rows]
    updated_rows = [row for row in rows if row["reached"] and row["standing"] == "affected"]
    for row in updated_rows:
        tx.execute(queries.close_unit, parameters | {"unit_id": row["unit_id"]})
        resolve_closed(tx, row["unit_id"], [campaign["id"]], now)
    open_rows = [row for row in rows if row not in updated_rows]
    unowned_rows = [row for row in open_rows if row["person_id"] is None]
    tell_nobody(tx, [_facts(tx, texts, row, now, policy) for row in unowned_rows], stages)
    owned_rows = [row for row in open_rows if row["person_id"] is not None]
    if _tell_all(tx, texts, owned_rows, now, policy, stages) is None:
        return
    for row in owned_rows:  # one of them fails, and must not hold up the others
        error = _tell_all(tx, texts, [row], now, policy, stages)
        if error:
            if not row["tries"]:
                failure = _failure_data(campaign, error)
                append(tx, "event.unhandled", failure, unit_id=row["unit_id"], person_id=row["person_id"])
            tries = row["tries"] + 1
            retry = {"unit_id": row["unit_id"], "tries": tries, "due_at": now + pause_after(tries)}
            tx.execute(queries.look_later, parameters | retry)


def _failure_data(campaign: Row, error: Exception) -> dict[str, Any]:
    """Returns the data of the event: of the error only its kind, since its words may hold names and addresses."""
    return {"of": campaign["number"], "campaign": campaign["public_id"], "error": type(error).__name__}


def _tell_all(
    tx: Connection, texts: CampaignTexts, rows: Sequence[Row], now: datetime, policy: Policy, stages: Sequence[Stage]
) -> Exception | None:
    """Ask the stages about units and record the outcomes, all or none. Returns the error, if there was one."""
    try:
        with tx.transaction():
            for row in rows:
                tell(tx, _facts(tx, texts, row, now, policy), stages)
    except Exception as error:
        if holds_up_all(error):
            raise
        log.exception("%s: %d units cannot be told of it together.", texts.campaign["number"], len(rows))
        return error
    return None


def _facts(tx: Connection, texts: CampaignTexts, row: Row, now: datetime, policy: Policy) -> Facts:
    subject = bulletin(texts, row["unit_id"], row["standing"], row["matched"])
    owner = earlier = None
    recent_times: tuple[datetime, ...] = ()
    if row["person_id"] is not None:
        owner = Owner(row["person_id"], row["person"], row["name"], row["email"], row["language"], row["since"])
        if subject.severity != "safety":  # which never waits
            recent_times = notify.recent_notice_times(tx, owner.person_id, now)
    if row["notice_id"] is not None:
        earlier = EarlierNotice(row["notice_id"], row["notice"], row["severity"], row["state"], row["updated_at"])
    return Facts(subject, owner, earlier, recent_times, now, policy, row["told_of_former"])
