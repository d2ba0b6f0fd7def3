"""Stage `record`: feed items, outbox rows, ledger lines and events of a set, in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.core.ids import IdMaker
from gateway.core.outcome import Drop, Hold, Outcome
from gateway.core.reason import Reason
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

CAME_BACK = Reason.of("came-back")
GRAVE = ("critical", "safety")
"""Severities that are sent again when they come back after an all-clear."""


def record(tx: Connection, decisions: Sequence[Decision], now: datetime, new_id: IdMaker) -> None:
    """Write what was decided: notices, one more on notices that are there, or only the reasons why nobody is told."""
    told = [(place, each, owner) for place, each in enumerate(decisions) if (owner := _told(each))]
    joined = [(place, each, earlier) for place, each in enumerate(decisions) if (earlier := _joined(each))]
    written = _tell(tx, [(each, owner) for _, each, owner in told], now, new_id)
    _join(tx, [(each.facts, earlier) for _, each, earlier in joined], now)
    notice_ids = {place: earlier.id for place, _, earlier in joined}
    notice_ids |= {place: number for (place, *_), (number, _) in zip(told, written, strict=True)}
    leads = {place: lead for (place, *_), (_, lead) in zip(told, written, strict=True)}
    lines = [_line(decision, notice_ids.get(place), leads.get(place)) for place, decision in enumerate(decisions)]
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


def _tell(
    tx: Connection, told: Sequence[tuple[Decision, Owner]], now: datetime, new_id: IdMaker
) -> list[tuple[int, str | None]]:
    """Write notices with their deliveries and events.

    Returns the row id of each, and the public id of the notice whose message it shares, where that is another one.
    """
    orders = _orders(tx, [(decision.facts, owner) for decision, owner in told], now)
    notices = [_notice(decision, owner, orders.get(owner.person_id), new_id()) for decision, owner in told]
    leads = _share_messages(notices)
    numbers = repository.insert_notices(tx, notices, now)
    links, deliveries = [], []
    for (decision, owner), number, lead in zip(told, numbers, leads, strict=True):
        if isinstance(decision.facts.subject, Alarm):
            links.append((number, decision.facts.subject.id, owner.person_id))
        if lead is None:
            due_at = decision.outcome.until if isinstance(decision.outcome, Hold) else now
            planned = _external(decision.facts, orders.get(owner.person_id), due_at)
            deliveries += [(number, delivery) for delivery in planned]
    repository.link_alarms(tx, links)
    repository.insert_deliveries(tx, deliveries)
    _append_told(tx, told, notices)
    return list(zip(numbers, leads, strict=True))


def _share_messages(notices: Sequence[Row]) -> list[str | None]:
    """Give a person's notices of one campaign the same key: the first of them has the message about all.

    Returns, for each notice, the public id of the one that has its message, where that is another one.
    """
    firsts: dict[tuple[int, int, str], Row] = {}
    groups: dict[str, list[Row]] = {}
    leads: list[str | None] = []
    for notice in notices:
        lead = notice
        if "campaign_id" in notice:
            lead = firsts.setdefault((notice["person_id"], notice["campaign_id"], notice["kind"]), notice)
        if lead is not notice:
            groups.setdefault(lead["public_id"], [lead]).append(notice)
        leads.append(None if lead is notice else lead["public_id"])
    for key, group in groups.items():
        for notice in group:
            notice |= {"group_key": key, "group_size": len(group)}
    return leads


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
            data |= {"reason": Reason(reason).data} | (
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


def _orders(tx: Connection, told: Sequence[tuple[Facts, Owner]], now: datetime) -> dict[int, Order]:
    """Returns, by person, in which order they are told outside the feed.

    Safety has none: it goes out on every channel at once. Nor has anything where no channel is set up.
    """
    channels = told[0][0].policy.channels if told else ()
    people = {owner.person_id for facts, owner in told if facts.subject.severity != "safety"}
    if not channels or not people:
        return {}
    return {person_id: reach.order(now, channels) for person_id, reach in addresses.reaches(tx, people, now).items()}


def _external(facts: Facts, order: Order | None, due_at: datetime) -> list[PlannedDelivery]:
    """Deliveries outside the feed: safety on every channel at once, else the preferred one, and the next in case."""
    policy, severity = facts.policy, facts.subject.severity
    if severity == "safety":
        reason = Reason.of("safety-everywhere")
        return [PlannedDelivery(channel, due_at, reason, is_safety=True) for channel in policy.channels]
    if order is None:
        return []
    # With no address at all the first channel is written all the same: it is skipped there, with its reason.
    first = order.channels[0] if order.channels else policy.channels[0]
    planned = [PlannedDelivery(first, due_at, order.reason)]
    if severity in FOLLOWED_SEVERITIES and len(order.channels) > 1:
        later = due_at + policy.follow_up_after
        reason = Reason.of("follows", channel=first)
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
        {
            "id": earlier.id,
            "text": earlier.text,
            "why": why(alarm, owner),
            "told": not is_over(facts),
            "again": _is_told_again(facts, earlier),
        }
        for facts, alarm, owner, earlier in alarms
    ]
    counts = repository.join_notices(tx, rows, now)
    repository.link_alarms(tx, [(earlier.id, alarm.id, owner.person_id) for _, alarm, owner, earlier in alarms])
    # Back to normal before anybody was told, and now again: it must not count as told.
    repository.send_after_all(tx, [earlier.id for *_, earlier in alarms], Reason.of("came-again"), now)
    _send_again(
        tx, [(facts, owner, earlier.id) for facts, _, owner, earlier in alarms if _is_told_again(facts, earlier)], now
    )
    updated, told = [], []
    for (_, alarm, owner, earlier), row in zip(alarms, rows, strict=True):
        count = {"count": counts[earlier.id]}
        if row["again"] or (earlier.skip_reason and row["told"]):
            data = told_data(earlier.public_id, alarm, row) | count
            told.append((alarm.unit_id, owner.person_id, data))
        else:
            updated.append((alarm.unit_id, owner.person_id, {"notice": earlier.public_id} | count))
    append_each(tx, "notice.updated", updated)
    append_each(tx, "notice.told", told)


def _is_told_again(facts: Facts, earlier: EarlierNotice) -> bool:
    """Whether a joining alarm is sent again: a grave one that came back after its owner was told that it was over.

    A sensor that flaps is not: of one notice, an hour has as many messages as of all of a person.
    """
    is_back = earlier.state == "resolved" and earlier.skip_reason is None and not is_over(facts)
    return is_back and facts.subject.severity in GRAVE and earlier.recent_alarms < facts.policy.notices_per_hour


def _send_again(tx: Connection, again: Sequence[tuple[Facts, Owner, int]], now: datetime) -> None:
    """Begin the deliveries of notices anew."""
    orders = _orders(tx, [(facts, owner) for facts, owner, _ in again], now)
    deliveries = [
        (number, replace(planned, reason=CAME_BACK) if planned.follows is None else planned)
        for facts, owner, number in again
        for planned in _external(facts, orders.get(owner.person_id), now)
    ]
    repository.send_again(tx, deliveries, now)


def _line(decision: Decision, notice_id: int | None, lead: str | None) -> Row:
    """What the ledger keeps of a decision; `lead` is the notice whose message it shares."""
    facts, subject = decision.facts, decision.facts.subject
    return {
        "alarm_id": subject.id if isinstance(subject, Alarm) else None,
        "campaign_id": subject.campaign_id if isinstance(subject, Bulletin) else None,
        "unit_id": subject.unit_id if isinstance(subject, Bulletin) else None,
        "person_id": facts.owner.person_id if facts.owner else None,
        "notice_id": notice_id,
        "outcome": type(decision.outcome).__name__.lower(),
        "reason": Reason.of("one-message", notice=lead) if lead else decision.outcome.reason,
        "steps": _step_documents(decision.steps),
    }


def _step_documents(steps: Steps) -> list[Row]:
    return [_step_document(stage, outcome) for stage, outcome in steps]


def _step_document(stage: str, outcome: Outcome) -> dict[str, Any]:
    document = {"stage": stage, "outcome": type(outcome).__name__.lower(), "reason": outcome.reason}
    return document | {"until": outcome.until.isoformat()} if isinstance(outcome, Hold) else document
