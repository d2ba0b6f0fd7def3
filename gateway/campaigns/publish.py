"""Stages `approve` and `freeze`: a second person publishes, in one transaction, what becomes of whom."""

import logging
from collections.abc import Sequence
from datetime import datetime

from gateway.campaigns import repository
from gateway.campaigns.audience import parameters
from gateway.campaigns.checks import blocking
from gateway.campaigns.repository import queries, stored_draft
from gateway.campaigns.service import Conflict, Writer, hold_draft, judged, say
from gateway.core.errors import BadInput, GatewayError
from gateway.store import Connection, Row

log = logging.getLogger(__name__)


class SecondPerson(GatewayError):
    """Who wrote a campaign does not approve it."""

    code = "second_person"
    status = 403

    def __init__(self) -> None:
        super().__init__("A second person approves: you drafted or edited this campaign.")


class CountChanged(Conflict):
    """The audience is not what was typed."""

    code = "count_changed"


def approve(
    tx: Connection, who: Writer, public_id: str, units: int, version: int, channels: Sequence[str], now: datetime
) -> None:
    """Publish a draft and freeze its audience; what it supersedes ends with that.

    Raises NotFound, Conflict, SecondPerson, BadInput with what is missing, and CountChanged.
    """
    held = hold_draft(tx, public_id, version)
    if who.person_id in held["authors"]:
        raise SecondPerson
    # Held before anything else is: the worker holds a campaign too before it touches its units.
    former = repository.hold_former(tx, held["supersedes"])
    count, checks = judged(tx, held, channels, now)
    if problems := blocking(checks):
        raise BadInput(f"{held['number']} cannot be published yet:", problems)
    affected = _freeze(tx, held, now)
    frozen = count.units if held["kind"] == "withdrawal" else affected
    if frozen != units:
        raise CountChanged(f"It concerns {frozen} units now, not {units}; look again.")
    parameters = {"id": held["id"], "now": now}
    tx.execute(queries.publish, parameters | {"person_id": who.person_id, "units": frozen})
    say(tx, "campaign.published", held, who, kind=held["kind"], units=frozen)
    if former:
        _end(tx, former, held, who, now)
    log.info("%s is published for %d units (stage=freeze).", held["number"], frozen)


def _freeze(tx: Connection, held: Row, now: datetime) -> int:
    """Keep whom it concerns, and whom it concerns no more. Returns how many units it concerns."""
    audience = stored_draft(held, None).audience
    own = {"id": held["id"], "former": held["supersedes"], "product_id": held["product_id"], "now": now}
    affected = tx.execute(queries.freeze, own | parameters(audience)).rowcount
    if held["supersedes"]:
        tx.execute(queries.freeze_cleared, own)
    return affected


def _end(tx: Connection, former: Row, held: Row, who: Writer, now: datetime) -> None:
    """Nobody is told of the former campaign any more, and its open notices say what came in its place.

    By statements, however many notices there are; the worker tells the owners' streams in turns (withdrawn.py).
    """
    state = "withdrawn" if held["kind"] == "withdrawal" else "superseded"
    ended = {"id": former["id"], "now": now}
    tx.execute(queries.end, ended | {"state": state})
    tx.execute(queries.stop_telling, ended)
    tx.execute(queries.withdraw_notices, ended | {"number": held["number"]})
    say(tx, f"campaign.{state}", former, who, by=held["number"])
