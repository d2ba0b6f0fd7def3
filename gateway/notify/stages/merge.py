"""Stage `merge`: an alarm that comes again joins the notice that is there, and a campaign is told once."""

from collections.abc import Sequence

from gateway.core.outcome import Drop, Outcome, Pass
from gateway.core.reason import Reason
from gateway.notify.model import Bulletin, EarlierNotice, Facts


def joins(facts: Facts) -> EarlierNotice | None:
    """The notice that this alarm joins: one as severe, still open or resolved only just now."""
    earlier = facts.earlier
    # A rule that was edited to be graver must not be told as one more of the milder kind.
    if earlier is None or earlier.severity != facts.subject.severity:
        return None
    recent = facts.now - earlier.updated_at < facts.policy.merge_window
    return earlier if earlier.state == "open" or recent else None


def merge(batch: Sequence[Facts]) -> list[Outcome]:
    """Drop what joins an earlier notice (a flapping sensor is one notice with a count), or was told to this owner.

    No two of a set are of one unit and rule, or of one unit and campaign: none joins another one of the set.
    """
    return [_merge(facts) for facts in batch]


def _merge(facts: Facts) -> Outcome:
    if isinstance(facts.subject, Bulletin):
        told = facts.earlier is not None
        return Drop(Reason.of("told-already")) if told else Pass(Reason.of("not-told-yet"))
    earlier = joins(facts)
    if earlier:
        return Drop(Reason.of("joined", notice=earlier.public_id))
    return Pass(Reason.of("first-of-its-kind"))
