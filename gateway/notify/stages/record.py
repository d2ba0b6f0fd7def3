"""Stage `record`: feed items, outbox rows, ledger lines and events of a set, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway.core.ids import IdMaker
from gateway.core.outcome import Drop, Hold, Outcome
from gateway.events import append_each
from gateway.notify import addresses, repository
from gateway.notify.model import FOLLOWED_SEVERITIES, Alarm, Bulletin, Decision, EarlierNotice, Facts, Steps
from gateway.notify.need import OVER
from gateway.notify.network import Order
from gateway.notify.repository import PlannedDelivery
from gateway.notify.stages.merge import joins
from gateway.notify.text import notice_text, why
from gateway.registrations.model import Owner
from gateway.store import Connection, Row


def record(tx: Connection, decisions: Sequence[Decision], now: datetime, new_id: IdMaker) -> None:
    """Write what was decided: notices, one more on notices that are there, or only the reasons why nobody is told."""
    told = [(place, each, owner) for place, each in enumerate(decisions) if (owner := _told(each))]
    joined = [(place, each, earlier) for place, each in enumerate(decisions) if (earlier := _joined(each))]
    told_ids = _tell(tx, [(each, owner) for _, each, owner in told], now, new_id)
    _join(tx, [(each.facts, earlier) for _, each, earlier in joined], now)
    notice_ids = {place: earlier.id for place, _, earlier in joined}
    notice_ids |= {place: number for (place, *_), number in zip(told, told_ids, strict=True)}
    lines = [_line(decision, notice_ids.get(place)) for place, decision in enumerate(decisions)]
    repository.insert_ledger(tx, lines, now)


def is_over(facts: Facts) -> bool:
    """Whether the owner is not told of an alarm, because it was over before; of safety they are told all the same."""
    subject = facts.subject
    return isinstance(subject, Alarm) and subject.cleared_at is not None and subject.severity != "safety"


def _told(decision: Decision) -> Owner | None:
    """Returns who gets a notice by this decision."""
    return None if isinstance(decision.outcome, Drop) else decision.facts.owner


def _joined(decision: Decision) -> EarlierNotice | None:
    """Returns the notice that was there before, where that is why there is no new one."""
    if not (isinstance(decision.outcome, Drop) and decision.steps[-1][0] == "merge"):
        return None
    is_alarm = isinstance(decision.facts.subject, Alarm)
    return joins(decision.facts) if is_alarm else decision.facts.earlier


def _tell(tx: Connection, told: Sequence[tuple[Decision, Owner]], now: datetime, new_id: IdMaker) -> list[int]:
    """Write notices with their deliveries and events. Returns their row ids."""
    orders = _orders(tx, told, now)
    notices = [_notice(decision, owner, orders.get(owner.person_id), new_id()) for decision, owner in told]
    numbers = repository.insert_notices(tx, notices, now)
    links, deliveries = [], []
    for (decision, owner), number in zip(told, numbers, strict=True):
        if isinstance(decision.facts.subject, Alarm):
            links.append((number, decision.facts.subject.id, owner.person_id))
        due_at = decision.outcome.until if isinstance(decision.outcome, Hold) else now
        planned = _external(decision.facts, orders.get(owner.person_id), due_at)
        deliveries += [(number, delivery) for delivery in planned]
    repository.link_alarms(tx, links)
    repository.insert_deliveries(tx, deliveries)
    _append_told(tx, told, notices)
    return numbers


def _notice(decision: Decision, owner: Owner, order: Order | None, public_id: str) -> Row:
    facts, outcome = decision.facts, decision.outcome
    subject = facts.subject
    of_kind: Row
    if isinstance(subject, Bulletin):
        of_kind = {"campaign_id": subject.campaign_id, "kind": subject.kind, "owned_since": owner.since}
    else:
        of_kind = {"rule_id": subject.rule.id, "kind": "alarm", "text": notice_text(subject, owner)}
    held = {"held_until": outcome.until, "hold_reason": outcome.reason} if isinstance(outcome, Hold) else {}
    over = {"skip_reason": OVER["alarm"]} if is_over(facts) else {}
    return {
        "public_id": public_id,
        "person_id": owner.person_id,
        "unit_id": subject.unit_id,
        "severity": subject.severity,
        "why": why(subject, owner) | ({"sent_because": order.reason} if order else {}),
        "trace": facts.trace,
        **of_kind,
        **(over or held),
    }


def _append_told(tx: Connection, told: Sequence[tuple[Decision, Owner]], notices: Sequence[Row]) -> None:
    """Write one event for each notice: it is told, or it is recorded, with the reason why it is not told now."""
    events: dict[str, list[tuple[int, int, Row]]] = {"notice.told": [], "notice.recorded": []}
    for (decision, owner), notice in zip(told, notices, strict=True):
        reason = notice.get("skip_reason") or notice.get("hold_reason")
        data = told_data(notice["public_id"], decision.facts.subject, notice)
        if reason:
            data |= {"reason": reason} | (
                {"held_until": notice["held_until"].isoformat()} if "held_until" in notice else {}
            )
        kind = "notice.recorded" if reason else "notice.told"
        events[kind].append((notice["unit_id"], owner.person_id, data))
    for kind, rows in events.items():
        append_each(tx, kind, rows)


def told_data(public_id: str, subject: Alarm | Bulletin, notice: Row) -> Row:
    """The data of the event of a notice; a campaign's own texts stand with the campaign only."""
    data = {"notice": public_id, "severity": subject.severity}
    if isinstance(subject, Bulletin):
        return data | {"campaign": subject.campaign}
    return data | {"title": notice["text"]["title"], "raised_at": notice["why"]["raised_at"]}


def _orders(tx: Connection, told: Sequence[tuple[Decision, Owner]], now: datetime) -> dict[int, Order]:
    """Returns, by person, in which order they are told outside the feed.

    Safety has none: it goes out on every channel at once. Nor has anything where no channel is set up.
    """
    channels = told[0][0].facts.policy.channels if told else ()
    people = {owner.person_id for decision, owner in told if decision.facts.subject.severity != "safety"}
    if not channels or not people:
        return {}
    return {person_id: reach.order(now, channels) for person_id, reach in addresses.reaches(tx, people, now).items()}


def _external(facts: Facts, order: Order | None, due_at: datetime) -> list[PlannedDelivery]:
    """Deliveries outside the feed: safety on every channel at once, else the preferred one, and the next in case."""
    policy, severity = facts.policy, facts.subject.severity
    if severity == "safety":
        return [
            PlannedDelivery(channel, due_at, "safety goes out on every channel at once", is_safety=True)
            for channel in policy.channels
        ]
    if order is None:
        return []
    # With no address at all the first channel is written all the same: it is skipped there, with its reason.
    first = order.channels[0] if order.channels else policy.channels[0]
    planned = [PlannedDelivery(first, due_at, order.reason)]
    if severity in FOLLOWED_SEVERITIES and len(order.channels) > 1:
        later = due_at + policy.follow_up_after
        reason = f"follows when {first} was not opened in time"
        planned.append(PlannedDelivery(order.channels[1], later, reason, first))
    return planned


def _join(tx: Connection, joined: Sequence[tuple[Facts, EarlierNotice]], now: datetime) -> None:
    """Let alarms join notices; a unit that was told of a campaign before changes nothing."""
    alarms = [
        (facts, facts.subject, facts.owner, earlier)
        for facts, earlier in joined
        if isinstance(facts.subject, Alarm) and facts.owner
    ]
    rows = [
        {"id": earlier.id, "text": earlier.text, "why": why(alarm, owner), "told": not is_over(facts)}
        for facts, alarm, owner, earlier in alarms
    ]
    counts = repository.join_notices(tx, rows, now)
    repository.link_alarms(tx, [(earlier.id, alarm.id, owner.person_id) for _, alarm, owner, earlier in alarms])
    # Back to normal before anybody was told, and now again: it must not count as told.
    repository.send_after_all(tx, [earlier.id for *_, earlier in alarms], "it came again", now)
    updated, first_told = [], []
    for (facts, alarm, owner, earlier), row in zip(alarms, rows, strict=True):
        count = {"count": counts[earlier.id]}
        if earlier.skip_reason and not is_over(facts):
            data = told_data(earlier.public_id, alarm, row) | count
            first_told.append((alarm.unit_id, owner.person_id, data))
        else:
            updated.append((alarm.unit_id, owner.person_id, {"notice": earlier.public_id} | count))
    append_each(tx, "notice.updated", updated)
    append_each(tx, "notice.told", first_told)


def _line(decision: Decision, notice_id: int | None) -> Row:
    """What the ledger keeps of a decision."""
    facts, subject = decision.facts, decision.facts.subject
    return {
        "alarm_id": subject.id if isinstance(subject, Alarm) else None,
        "campaign_id": subject.campaign_id if isinstance(subject, Bulletin) else None,
        "unit_id": subject.unit_id if isinstance(subject, Bulletin) else None,
        "person_id": facts.owner.person_id if facts.owner else None,
        "notice_id": notice_id,
        "outcome": type(decision.outcome).__name__.lower(),
        "reason": decision.outcome.reason,
        "steps": _step_documents(decision.steps),
    }


def _step_documents(steps: Steps) -> list[Row]:
    return [_step_document(stage, outcome) for stage, outcome in steps]


def _step_document(stage: str, outcome: Outcome) -> dict[str, Any]:
    document = {"stage": stage, "outcome": type(outcome).__name__.lower(), "reason": outcome.reason}
    return document | {"until": outcome.until.isoformat()} if isinstance(outcome, Hold) else document
