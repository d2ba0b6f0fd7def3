"""Stage `record`: feed item, outbox rows and ledger line in one transaction."""

from datetime import datetime
from typing import Any

from gateway.core.ids import IdMaker
from gateway.core.outcome import Drop, Hold, Outcome
from gateway.events import append
from gateway.notify import addresses, repository
from gateway.notify.model import FOLLOWED_SEVERITIES, Alarm, Bulletin, Facts
from gateway.notify.network import Order
from gateway.notify.repository import PlannedDelivery
from gateway.notify.stages.merge import joins
from gateway.notify.text import notice_text, why
from gateway.registrations.model import Owner
from gateway.store import Connection

FEED = "feed"


def record(tx: Connection, facts: Facts, outcome: Outcome, steps: list[dict[str, Any]], new_id: IdMaker) -> None:
    """Write what was decided: a notice, one more on a notice that is there, or only the reason why nobody is told."""
    subject = facts.subject
    notice_id = None
    merged = isinstance(outcome, Drop) and steps[-1]["stage"] == "merge"
    if merged and isinstance(subject, Bulletin) and facts.earlier:
        notice_id = facts.earlier.id
    elif merged and isinstance(subject, Alarm) and facts.owner and (joined := joins(facts)):
        notice_id = joined.id
        _join(tx, facts, subject, facts.owner, joined.id, joined.public_id)
    elif not isinstance(outcome, Drop) and facts.owner:
        notice_id = _tell(tx, facts, facts.owner, outcome, new_id)
    repository.insert_ledger(tx, [line(facts, outcome, steps, notice_id)])


def line(facts: Facts, outcome: Outcome, steps: list[dict[str, Any]], notice_id: int | None = None) -> dict[str, Any]:
    """What the ledger keeps of an answer."""
    subject = facts.subject
    return {
        "at": facts.now,
        "alarm_id": subject.id if isinstance(subject, Alarm) else None,
        "campaign_id": subject.campaign_id if isinstance(subject, Bulletin) else None,
        "unit_id": subject.unit_id if isinstance(subject, Bulletin) else None,
        "person_id": facts.owner.person_id if facts.owner else None,
        "notice_id": notice_id,
        "outcome": type(outcome).__name__.lower(),
        "reason": outcome.reason,
        "steps": steps,
    }


def _tell(tx: Connection, facts: Facts, owner: Owner, outcome: Outcome, new_id: IdMaker) -> int:
    subject = facts.subject
    order = _order(tx, facts, owner)
    notice: dict[str, Any] = {
        "public_id": new_id(),
        "person_id": owner.person_id,
        "unit_id": subject.unit_id,
        "severity": subject.severity,
        "text": notice_text(subject, owner),
        "why": why(subject, owner) | ({"sent_because": order.reason} if order else {}),
        "trace": facts.trace,
        "now": facts.now,
    }
    data = {"notice": notice["public_id"], "title": notice["text"]["title"], "severity": subject.severity}
    if isinstance(subject, Bulletin):
        campaign = {"campaign_id": subject.campaign_id, "kind": subject.kind, "owned_since": owner.since}
        notice_id = repository.insert_notice(tx, notice | {"rule_id": None} | campaign)
        data |= {"campaign": subject.campaign}
    else:
        alarm = {"rule_id": subject.rule.id, "campaign_id": None, "kind": "alarm", "owned_since": None}
        notice_id = repository.insert_notice(tx, notice | alarm)
        repository.link_alarm(tx, notice_id, subject.id, owner.person_id)
    due_at = outcome.until if isinstance(outcome, Hold) else facts.now
    external = _external(facts, order, due_at) if order else []
    repository.insert_deliveries(tx, [PlannedDelivery(FEED, due_at, outcome.reason), *external], notice_id)
    if isinstance(outcome, Hold):
        data |= {"held_until": due_at.isoformat(), "reason": outcome.reason}
    append(tx, "notice.recorded", data, unit_id=subject.unit_id, person_id=owner.person_id)
    return notice_id


def _order(tx: Connection, facts: Facts, owner: Owner) -> Order | None:
    """In which order the person is told outside the feed; None where no channel is set up."""
    channels = facts.policy.channels
    return addresses.reach(tx, owner.person_id, facts.now).order(facts.now, channels) if channels else None


def _external(facts: Facts, order: Order, due_at: datetime) -> list[PlannedDelivery]:
    """Deliveries outside the feed: safety on every channel at once, else the preferred one, and the next in case."""
    policy, severity = facts.policy, facts.subject.severity
    if severity == "safety":
        return [
            PlannedDelivery(channel, due_at, "safety goes out on every channel at once") for channel in policy.channels
        ]
    # With no address at all the first channel is written all the same: it is skipped there, with its reason.
    first = order.channels[0] if order.channels else policy.channels[0]
    planned = [PlannedDelivery(first, due_at, order.reason)]
    if severity in FOLLOWED_SEVERITIES and len(order.channels) > 1:
        later = due_at + policy.follow_up_after
        reason = f"follows when {first} was not opened in time"
        planned.append(PlannedDelivery(order.channels[1], later, reason, first))
    return planned


def _join(tx: Connection, facts: Facts, alarm: Alarm, owner: Owner, notice_id: int, public_id: str) -> None:
    count = repository.join_notice(tx, notice_id, why(alarm, owner), facts.now)
    repository.link_alarm(tx, notice_id, alarm.id, owner.person_id)
    # Back to normal before anybody was told, and now again: it must not count as told.
    repository.send_after_all(tx, notice_id, "it came again", facts.now)
    data = {"notice": public_id, "count": count}
    append(tx, "notice.updated", data, unit_id=alarm.unit_id, person_id=owner.person_id)
