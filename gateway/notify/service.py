"""The stages decide on a set of alarms, or of units of a campaign, and the outcomes are recorded."""

from collections.abc import Sequence
from datetime import datetime

from gateway.core.ids import IdMaker, random_id
from gateway.core.outcome import Drop, Hold, Outcome, Pass
from gateway.core.reason import Reason
from gateway.notify.model import Decision, Facts, Stage
from gateway.notify.stages.record import record
from gateway.store import Connection


def decide(stages: Sequence[Stage], batch: Sequence[Facts]) -> list[Decision]:
    """Ask the stages in order, each about those that none dropped before.

    The outcome of each is the first Drop, else the latest Hold, else a Pass.
    """
    outcomes: list[Outcome] = [Pass(Reason.of("nothing-against"))] * len(batch)
    steps: list[list[tuple[str, Outcome]]] = [[] for _ in batch]
    places = list(range(len(batch)))
    for stage in stages:
        if stage.decide is None:
            continue
        for place, outcome in zip(places, stage.decide([batch[place] for place in places]), strict=True):
            steps[place].append((stage.name, outcome))
            outcomes[place] = _stricter(outcomes[place], outcome)
        places = [place for place in places if not isinstance(outcomes[place], Drop)]
    return [
        Decision(facts, outcome, tuple(asked)) for facts, outcome, asked in zip(batch, outcomes, steps, strict=True)
    ]


def _stricter(before: Outcome, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Drop):
        return outcome
    is_later = isinstance(outcome, Hold) and not (isinstance(before, Hold) and before.until >= outcome.until)
    return outcome if is_later else before


def tell(
    tx: Connection, batch: Sequence[Facts], stages: Sequence[Stage], now: datetime, new_id: IdMaker = random_id
) -> list[Decision]:
    """Ask the stages about a set, and record the outcomes."""
    decisions = decide(stages, batch)
    record(tx, decisions, now, new_id)
    return decisions
