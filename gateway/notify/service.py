"""A raised alarm passes the stages and is recorded; a cleared alarm resolves its notices."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.core.ids import IdMaker, random_id
from gateway.core.outcome import Drop, Hold, Outcome, Pass
from gateway.events import Event, append
from gateway.notify import addresses, attention, repository
from gateway.notify.channels.registry import sign_in_channel
from gateway.notify.model import Alarm, Facts, Policy, Stage
from gateway.notify.stages.record import line, record
from gateway.store import Connection

log = logging.getLogger(__name__)

Steps = list[tuple[str, Outcome]]


def decide(stages: Sequence[Stage], facts: Facts) -> tuple[Outcome, Steps]:
    """Ask the stages in order. Returns the first Drop, else the latest Hold, else a Pass; and all outcomes."""
    outcome: Outcome = Pass("nothing spoke against it")
    steps: Steps = []
    for stage in stages:
        if stage.decide is None:
            continue
        step_outcome = stage.decide(facts)
        steps.append((stage.name, step_outcome))
        if isinstance(step_outcome, Drop):
            return step_outcome, steps
        if isinstance(step_outcome, Hold) and not (isinstance(outcome, Hold) and outcome.until >= step_outcome.until):
            outcome = step_outcome
    return outcome, steps


def tell(tx: Connection, facts: Facts, stages: Sequence[Stage], new_id: IdMaker = random_id) -> None:
    """Ask the stages and record their outcomes."""
    outcome, steps = decide(stages, facts)
    record(tx, facts, outcome, [_step_document(*step) for step in steps], new_id)
    log.info("%s at %s: %s (stage=record).", type(outcome).__name__, steps[-1][0], steps[-1][1].reason)


def tell_nobody(tx: Connection, all_facts: Sequence[Facts], stages: Sequence[Stage]) -> None:
    """Ask the stages about units without an owner, and record all outcomes in one statement, since they are many."""
    decisions = [(facts, *decide(stages, facts)) for facts in all_facts]
    lines = [line(facts, outcome, [_step_document(*step) for step in steps]) for facts, outcome, steps in decisions]
    repository.insert_ledger(tx, lines)


def handle(
    tx: Connection,
    event: Event,
    stages: Sequence[Stage],
    *,
    now: datetime,
    policy: Policy,
    new_id: IdMaker = random_id,
) -> None:
    """Act on an event: tell the owner of a raised alarm, resolve a cleared one, note an engagement."""
    if event.kind == "alarm.raised":
        alarm = repository.alarm(tx, event.data["alarm_id"])
        if repository.is_answered(tx, alarm):
            return
        facts = repository.facts(tx, alarm, now, policy)
        tell(tx, replace(facts, trace=event.data.get("trace")), stages, new_id)
        if alarm.cleared_at is not None:  # the event of its clearing was handled before this one
            _resolve(tx, alarm, alarm.cleared_at.isoformat(), now)
    elif event.kind == "notice.acknowledged" and event.person_id is not None:
        attention.learn_from_acknowledgement(tx, event.person_id, event.data["notice"], now)
    elif event.kind == "account.signed_in" and event.person_id is not None:
        # A sign-in with a password counts for the channel of its address, unless the event names another channel.
        addresses.note(tx, event.person_id, event.data.get("channel") or sign_in_channel(), "signed_in", event.at)
    elif event.kind == "alarm.cleared":
        _resolve(tx, repository.alarm(tx, event.data["alarm_id"]), event.data["cleared_at"], now)


def _resolve(tx: Connection, alarm: Alarm, cleared_at: str, now: datetime) -> None:
    """Resolve the notices of a cleared alarm, and write their events."""
    for notice in repository.resolve(tx, alarm, now):
        data = {"notice": notice["public_id"], "title": notice["text"]["title"], "cleared_at": cleared_at}
        append(tx, "notice.resolved", data, unit_id=notice["unit_id"], person_id=notice["person_id"])


def _step_document(stage: str, outcome: Outcome) -> dict[str, Any]:
    document = {"stage": stage, "outcome": type(outcome).__name__.lower(), "reason": outcome.reason}
    return document | {"until": outcome.until.isoformat()} if isinstance(outcome, Hold) else document
