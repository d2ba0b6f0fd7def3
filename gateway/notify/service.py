"""An alarm that was raised passes the stages and is recorded; one that cleared brings its notice up to date."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.core.ids import IdMaker, random_id
from gateway.core.outcome import Drop, Hold, Outcome, Pass
from gateway.events import Event, append
from gateway.notify import addresses, attention, repository
from gateway.notify.model import Alarm, Facts, Policy, Stage
from gateway.notify.network import EMAIL
from gateway.notify.stages.record import line, record
from gateway.store import Connection

log = logging.getLogger(__name__)

Steps = list[tuple[str, Outcome]]


def decide(stages: Sequence[Stage], facts: Facts) -> tuple[Outcome, Steps]:
    """Ask the stages in order; the first Drop ends it, a Hold goes on and stands unless something drops it."""
    outcome: Outcome = Pass("nothing spoke against it")
    steps: Steps = []
    for stage in stages:
        if stage.decide is None:
            continue
        answer = stage.decide(facts)
        steps.append((stage.name, answer))
        if isinstance(answer, Drop):
            return answer, steps
        if isinstance(answer, Hold) and not (isinstance(outcome, Hold) and outcome.until >= answer.until):
            outcome = answer
    return outcome, steps


def tell(tx: Connection, facts: Facts, stages: Sequence[Stage], new_id: IdMaker = random_id) -> None:
    """Ask the stages and record what they answer."""
    outcome, steps = decide(stages, facts)
    record(tx, facts, outcome, [_line(name, answer) for name, answer in steps], new_id)
    log.info("%s at %s: %s (stage=record).", type(outcome).__name__, steps[-1][0], steps[-1][1].reason)


def tell_nobody(tx: Connection, unowned: Sequence[Facts], stages: Sequence[Stage]) -> None:
    """Ask the stages about units that nobody owns, and record all answers at once; they are many."""
    answered = [(facts, *decide(stages, facts)) for facts in unowned]
    lines = [line(facts, outcome, [_line(*step) for step in steps]) for facts, outcome, steps in answered]
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
    """Do what an event of the log asks for: tell of an alarm raised, resolve one cleared, learn from what people do."""
    if event.kind == "alarm.raised":
        alarm = repository.alarm(tx, event.data["alarm_id"])
        if repository.is_answered(tx, alarm):
            return
        facts = repository.facts(tx, alarm, now, policy)
        tell(tx, replace(facts, trace=event.data.get("trace")), stages, new_id)
        if alarm.cleared_at is not None:  # its clearing was handled before, when this event could not be
            _resolve(tx, alarm, alarm.cleared_at.isoformat(), now)
    elif event.kind == "notice.acknowledged" and event.person_id is not None:
        attention.learn_from_acknowledgement(tx, event.person_id, event.data["notice"], now)
    elif event.kind == "account.signed_in" and event.person_id is not None:
        # Who signs in with a password does so by their address, unless the event says otherwise.
        addresses.note(tx, event.person_id, event.data.get("channel", EMAIL), "signed_in", event.at)
    elif event.kind == "alarm.cleared":
        _resolve(tx, repository.alarm(tx, event.data["alarm_id"]), event.data["cleared_at"], now)


def _resolve(tx: Connection, alarm: Alarm, cleared_at: str, now: datetime) -> None:
    """Bring the notices of a cleared alarm up to date."""
    for notice in repository.resolve(tx, alarm, now):
        data = {"notice": notice["public_id"], "title": notice["text"]["title"], "cleared_at": cleared_at}
        append(tx, "notice.resolved", data, unit_id=notice["unit_id"], person_id=notice["person_id"])


def _line(stage: str, answer: Outcome) -> dict[str, Any]:
    line = {"stage": stage, "outcome": type(answer).__name__.lower(), "reason": answer.reason}
    return line | {"until": answer.until.isoformat()} if isinstance(answer, Hold) else line
