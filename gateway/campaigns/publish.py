"""Stages `approve` and `freeze`: a second person publishes a campaign and freezes its audience in one transaction."""

import logging
from collections.abc import Sequence
from datetime import datetime

from gateway.campaigns import repository
from gateway.campaigns.audience import audience_parameters
from gateway.campaigns.checks import blocking
from gateway.campaigns.progress import hold_owners
from gateway.campaigns.repository import queries, stored_draft
from gateway.campaigns.service import Conflict, Writer, append_event, count_and_check, hold_draft
from gateway.core.errors import BadInput, GatewayError
from gateway.store import Connection, Row

log = logging.getLogger(__name__)


class SecondPerson(GatewayError):
    """An author of a campaign tried to approve it."""

    code = "second_person"
    status = 403

    def __init__(self) -> None:
        super().__init__("A second person approves: you drafted or edited this campaign.")


class CountChanged(Conflict):
    """The number of units is not the one that the approver typed."""

    code = "count_changed"


def approve(
    tx: Connection, who: Writer, public_id: str, units: int, version: int, channels: Sequence[str], now: datetime
) -> None:
    """Publish a draft and freeze its audience; the campaign that it supersedes ends.

    Raises NotFound, Conflict, SecondPerson, BadInput with what is missing, and CountChanged.
    """
    draft = hold_draft(tx, public_id, version)
    if who.person_id in draft["authors"]:
        raise SecondPerson
    # Locked first, as the worker does: it locks a campaign before it touches its units.
    former = repository.hold_former(tx, draft["supersedes"])
    count, checks = count_and_check(tx, draft, channels, now)
    if problems := blocking(checks):
        raise BadInput(f"{draft['number']} cannot be published yet:", problems)
    affected = _freeze(tx, draft, now)
    unit_count = count.units if draft["kind"] == "withdrawal" else affected
    if unit_count != units:
        message = f"It concerns {unit_count} units now, not {units}; look again."
        raise CountChanged(message, units=unit_count, typed=units)
    parameters = {"id": draft["id"], "now": now}
    tx.execute(queries.publish, parameters | {"person_id": who.person_id, "units": unit_count})
    append_event(tx, "campaign.published", draft, who, kind=draft["kind"], units=unit_count)
    if former:
        _end(tx, former, draft, who, now)
    log.info("%s is published for %d units (stage=freeze).", draft["number"], unit_count)


def _freeze(tx: Connection, draft: Row, now: datetime) -> int:
    """Store the units that it concerns, and those that it concerns no more. Returns the number of the first."""
    audience = stored_draft(draft, None).audience
    hold_owners(tx)
    parameters = {"id": draft["id"], "former": draft["supersedes"], "product_id": draft["product_id"], "now": now}
    affected = tx.execute(queries.freeze, parameters | audience_parameters(audience)).rowcount
    if draft["supersedes"]:
        tx.execute(queries.freeze_cleared, parameters)
    return affected


def _end(tx: Connection, former: Row, draft: Row, who: Writer, now: datetime) -> None:
    """End the former campaign: nobody is notified of it any more, and its open notices name the new one.

    A few statements do this for any number of notices; the worker writes their events in turns (withdrawn.py).
    """
    state = "withdrawn" if draft["kind"] == "withdrawal" else "superseded"
    parameters = {"id": former["id"], "now": now}
    tx.execute(queries.end, parameters | {"state": state})
    tx.execute(queries.stop_telling, parameters)
    tx.execute(queries.withdraw_notices, parameters | {"number": draft["number"]})
    append_event(tx, f"campaign.{state}", former, who, by=draft["number"])
