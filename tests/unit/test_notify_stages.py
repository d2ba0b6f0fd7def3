"""The stages from an alarm to a notice, as pure functions of what is known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from rules_factory import rule

from gateway import flow
from gateway.core.outcome import Drop, Hold, Outcome, Pass
from gateway.core.reason import Reason
from gateway.notify.model import Alarm, Bulletin, EarlierNotice, Facts, Policy, Stage
from gateway.notify.service import decide as decide_all
from gateway.notify.stages import address as addressing
from gateway.notify.stages import merge as merging
from gateway.notify.stages import rate as rating
from gateway.notify.stages.merge import joins
from gateway.notify.text import campaign_notice, notice_text, why
from gateway.registrations.model import Owner
from tests.dsl.reasons import in_words

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POLICY = Policy(merge_window=HOUR, notices_per_hour=3)
ADA = Owner(1, "ada", "Ada", "ada@example.org", "en", datetime(2024, 1, 1, tzinfo=UTC))


def address(known: Facts) -> Outcome:
    return addressing.address([known])[0]


def merge(known: Facts) -> Outcome:
    return merging.merge([known])[0]


def rate(known: Facts) -> Outcome:
    return rating.rate([known])[0]


def decide(stages: Sequence[Stage], known: Facts) -> tuple[Outcome, list[tuple[str, Outcome]]]:
    (decision,) = decide_all(stages, [known])
    return decision.outcome, list(decision.steps)


def alarm(
    *, audience: tuple[str, ...] = ("owner",), rule_changes: dict[str, Any] | None = None, **changes: Any
) -> Alarm:
    found: dict[str, Any] = {
        "id": 5,
        "unit_id": 7,
        "severity": "warning",
        "onset": NOW - 2 * MINUTE,
        "raised_at": NOW - MINUTE,
        "judged_at": NOW - MINUTE,
        "historic": False,
        "evidence": {"metric": "temp_c", "unit": "°C", "onset_value": 91.0, "value": 95.126, "extreme": 96.0},
        "cleared_at": None,
        "clearing": None,
        "rule": rule(audience=list(audience), **rule_changes or {}),
        "version": 1,
        "serial": "P-1",
        "product_name": {"en": "Pump", "de": "Pumpe"},
        "metric_title": {"en": "Temperature"},
    }
    return Alarm(**found | changes)


def facts(**changes: Any) -> Facts:
    known: dict[str, Any] = {
        "subject": alarm(),
        "owner": ADA,
        "earlier": None,
        "recent_notice_times": (),
        "now": NOW,
        "policy": POLICY,
    }
    return Facts(**known | changes)


def earlier(state: str = "open", age: timedelta = MINUTE, severity: str = "warning") -> EarlierNotice:
    return EarlierNotice(9, "n9", severity, state, NOW - age)


def told(*minutes_ago: float) -> tuple[datetime, ...]:
    return tuple(NOW - minutes * MINUTE for minutes in minutes_ago)


def test_the_owner_at_the_time_of_the_alarm_is_told():
    assert address(facts()) == Pass(Reason.of("owner-since", since=ADA.since))


def test_who_became_the_owner_at_the_very_moment_is_told():
    since = Owner(2, "bob", "Bob", "bob@example.org", "en", NOW - MINUTE)
    assert isinstance(address(facts(owner=since)), Pass)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"subject": alarm(historic=True)}, "too old when it was judged"),
        ({"subject": alarm(audience=("support",))}, "support only"),
        ({"owner": None}, "nobody is registered"),
        (
            {"subject": alarm(cleared_at=NOW), "owner": Owner(2, "bob", "Bob", "bob@example.org", "en", NOW)},
            "changed hands",
        ),
        (
            {
                "subject": alarm(judged_at=NOW + MINUTE),
                "owner": Owner(2, "bob", "Bob", "bob@example.org", "en", NOW),
            },
            "changed hands",
        ),
    ],
)
def test_who_is_not_concerned_is_not_told_and_the_reason_is_kept(changes: dict[str, Any], reason: str):
    answer = address(facts(**changes))
    assert isinstance(answer, Drop)
    assert reason in in_words(answer.reason)


def test_whoever_owns_the_unit_while_the_alarm_is_active_is_told():
    bob = Owner(2, "bob", "Bob", "bob@example.org", "en", NOW)
    assert address(facts(owner=bob)) == Pass(Reason.of("active-when-theirs", since=NOW))


def test_what_was_measured_before_the_unit_was_theirs_is_not_told():
    """The state passes on, its history does not."""
    bob = Owner(2, "bob", "Bob", "bob@example.org", "en", NOW)
    texts = {"text": {"en": {"title": "At {value}", "body": "Above {limit} {unit}.", "action": "Wait, {value}."}}}
    assert notice_text(alarm(rule_changes=texts), bob) == {
        "title": "Pump overheats",
        "body": "Above 90 °C. This was so already when the unit became yours.",
        "action": "See what it measures now in My Products.",
    }
    known = why(alarm(), bob)
    assert (known["value"], known["extreme"], known["onset"], known["raised_at"]) == (
        None, None, NOW.isoformat(), NOW.isoformat(),
    )  # fmt: skip
    assert "95" not in str(known)


def test_a_rule_for_owner_and_support_tells_the_owner():
    assert isinstance(address(facts(subject=alarm(audience=("support", "owner")))), Pass)


@pytest.mark.parametrize(
    ("notice", "joined"),
    [
        (None, False),
        (earlier("open"), True),
        (earlier("open", age=100 * HOUR), True),
        (earlier("resolved", age=HOUR - MINUTE), True),
        (earlier("resolved", age=HOUR), False),
        (earlier("resolved", age=2 * HOUR), False),
    ],
)
def test_an_alarm_joins_the_notice_that_is_open_or_was_until_just_now(notice: EarlierNotice | None, joined: bool):
    known = facts(earlier=notice)
    assert (joins(known) is not None) == joined
    assert isinstance(merge(known), Drop) == joined


def test_the_reason_names_the_notice_that_was_joined():
    assert merge(facts(earlier=earlier())) == Drop(Reason.of("joined", notice="n9"))


def test_an_alarm_of_another_severity_is_a_notice_of_its_own():
    """When a rule is edited from warning to safety, the danger must not be counted as one more warning."""
    assert isinstance(merge(facts(subject=alarm(severity="safety"), earlier=earlier())), Pass)


def test_the_hour_is_filled_before_anything_is_held():
    assert rate(facts(recent_notice_times=told(50, 10))) == Pass(Reason.of("room-in-the-hour", count=2, limit=3))


def test_what_exceeds_the_hour_is_held_until_the_first_of_it_is_an_hour_old():
    answer = rate(facts(recent_notice_times=told(50, 20, 10)))
    assert answer == Hold(NOW + 10 * MINUTE, Reason.of("enough-for-an-hour", limit=3))


def test_what_is_held_already_counts_so_that_a_flood_is_spread_over_the_hours():
    waiting = (NOW + 10 * MINUTE, NOW + 40 * MINUTE, NOW + 50 * MINUTE)
    assert rate(facts(recent_notice_times=told(50, 20, 10) + waiting[:1])) == Hold(
        NOW + 40 * MINUTE, Reason.of("enough-for-an-hour", limit=3)
    )
    answer = rate(facts(recent_notice_times=told(50, 20, 10) + waiting))
    assert isinstance(answer, Hold)
    assert answer.until == waiting[0] + HOUR


def test_safety_is_never_held():
    crowd = told(*range(59, 0, -1))
    assert rate(facts(subject=alarm(severity="safety"), recent_notice_times=crowd)) == Pass(Reason.of("safety-at-once"))
    assert isinstance(rate(facts(subject=alarm(severity="critical"), recent_notice_times=crowd)), Hold)


def stage(name: str, answer: Outcome, asked: list[str] | None = None) -> Stage:
    def decide_(batch: Sequence[Facts]) -> list[Outcome]:
        if asked is not None:
            asked.extend(name for _ in batch)
        return [answer for _ in batch]

    return Stage(name, "A stage.", decide_)


def test_without_objection_the_outcome_is_pass():
    outcome, steps = decide([Stage("only-a-name", "No decision."), stage("a", Pass("fine"))], facts())
    assert isinstance(outcome, Pass)
    assert steps == [("a", Pass("fine"))]


def test_the_first_drop_ends_it_and_no_later_stage_is_asked():
    asked: list[str] = []
    drop = Drop("no")
    stages = [stage("a", Hold(NOW, "later"), asked), stage("b", drop, asked), stage("c", Drop("also no"), asked)]
    outcome, steps = decide(stages, facts())
    assert outcome is drop
    assert [name for name, _ in steps] == asked == ["a", "b"]


def test_of_several_holds_the_latest_stands_in_whatever_order():
    holds = [Hold(NOW + minutes * MINUTE, f"{minutes}") for minutes in (5, 30, 20)]
    for order in permutations(holds):
        outcome, steps = decide([stage("x", hold) for hold in order] + [stage("y", Pass("fine"))], facts())
        assert outcome == Hold(NOW + 30 * MINUTE, "30")
        assert len(steps) == 4


def test_of_two_holds_until_the_same_time_the_first_gives_the_reason():
    outcome, _ = decide([stage("a", Hold(NOW, "first")), stage("b", Hold(NOW, "second"))], facts())
    assert outcome == Hold(NOW, "first")


def test_the_stages_of_a_notice_are_address_merge_rate_in_this_order():
    """Who must be known before what is merged, and only what is a notice of its own counts for the rate."""
    assert [stage.name for stage in flow.NOTICE] == ["address", "merge", "rate"]
    assert all(stage.decide is not None for stage in flow.NOTICE)


def test_the_road_names_each_stage_once_with_a_sentence():
    names = [stage.name for stage in flow.READING_TO_NOTICE]
    assert names == [
        *("receive", "decode", "judge", "store", "acknowledge"),
        *("address", "merge", "rate"),
        *("record", "deliver", "show"),
    ]
    assert all(stage.sentence.endswith(".") for stage in flow.READING_TO_NOTICE)


def test_the_ledger_has_a_line_for_every_stage_that_was_asked():
    known = facts(recent_notice_times=told(50, 20, 10))
    outcome, steps = decide(flow.NOTICE, known)
    assert isinstance(outcome, Hold)
    assert [(name, type(answer)) for name, answer in steps] == [("address", Pass), ("merge", Pass), ("rate", Hold)]
    _, steps = decide(flow.NOTICE, facts(owner=None, earlier=earlier()))
    assert [name for name, _ in steps] == ["address"]


def test_the_text_has_its_values_filled_in_and_falls_back_to_english():
    body = "{product} {serial}: {value} {unit}, over {limit}"
    texts = {"text": {"en": {"title": "Off", "body": body, "action": "Wait."}}}
    expected = {"title": "Off", "body": "Pump P-1: 95.13 °C, over 90", "action": "Wait."}
    assert notice_text(alarm(rule_changes=texts), ADA) == expected
    assert notice_text(alarm(rule_changes=texts), replace(ADA, language="fr")) == expected
    texts["text"]["de"] = {"title": "Aus", "body": "{product} bei {value}", "action": "Warten."}
    assert notice_text(alarm(rule_changes=texts), replace(ADA, language="de"))["body"] == "Pumpe bei 95,13"


def test_a_band_tells_the_limit_that_was_crossed():
    band = {"condition": {"kind": "threshold", "metric": "temp_c", "unit": "°C", "above": 90, "below": 10}}
    low = alarm(rule_changes=band, evidence=alarm().evidence | {"value": 3.0})
    assert (why(low, ADA)["limit"], why(alarm(rule_changes=band), ADA)["limit"]) == (10, 90)


def test_why_gives_the_rule_the_values_and_the_ownership():
    told_because = why(alarm(), ADA)
    assert told_because["sentence"].startswith("Raise *Pump overheats* when temp_c goes above 90 °C")
    assert (told_because["value"], told_because["extreme"]) == (95.126, 96.0)
    assert told_because["told_because"] == Reason.of("owned", since=ADA.since)


def recall(**changes: Any) -> Bulletin:
    said: dict[str, Any] = {
        "campaign_id": 3,
        "campaign": "c3",
        "number": "R-2026-02",
        "kind": "recall",
        "unit_id": 7,
        "severity": "safety",
        "matched": "lot L1",
    }
    return Bulletin(**said | changes)


def test_a_campaign_is_told_to_the_owner_of_now_and_to_nobody_else():
    assert address(facts(subject=recall())) == Pass(Reason.of("owner-since", since=ADA.since))
    assert address(facts(subject=recall(), owner=None)) == Drop(Reason.of("nobody-registered"))


def test_what_takes_something_back_goes_only_to_who_was_told_of_it():
    cleared = recall(kind="withdrawal", takes_back="R-2026-01")
    assert address(facts(subject=cleared, told_of_former=True)) == Pass(Reason.of("owner-since", since=ADA.since))
    assert address(facts(subject=cleared)) == Drop(Reason.of("not-told-of-former", former="R-2026-01"))


@pytest.mark.parametrize("state", ["open", "resolved", "withdrawn"])
def test_a_campaign_is_told_once_to_an_owner_whatever_became_of_it(state):
    told_already = facts(subject=recall(), earlier=earlier(state, 500 * HOUR, "safety"))
    assert merge(told_already) == Drop(Reason.of("told-already"))
    assert isinstance(merge(facts(subject=recall())), Pass)


def test_a_recall_never_waits_and_an_update_does():
    crowd = told(50, 40, 30)
    assert rate(facts(subject=recall(), recent_notice_times=crowd)) == Pass(Reason.of("safety-at-once"))
    assert isinstance(rate(facts(subject=recall(severity="info"), recent_notice_times=crowd)), Hold)


def test_a_campaigns_notice_is_what_it_says_to_all_and_what_is_of_the_person_and_the_unit():
    text = {"title": "Feuer", "body": "Es kann brennen.", "action": "Ziehen Sie den Stecker."}
    document = {"text": text, "details": {"number": "R-2026-02", "replaced_by": None}}
    own = why(recall(), ADA)
    assert own == {"matched": "lot L1", "owned_since": "2024-01-01T00:00:00+00:00"}
    assert campaign_notice(document, own | {"replaced_by": "R-2026-03"}) == {
        "text": text,
        "why": {
            "number": "R-2026-02",
            "replaced_by": "R-2026-03",
            "matched": Reason.of("matched-lot", what="L1"),
            "told_because": Reason.of("owned", since=ADA.since),
        },
    }


class TestASet:
    """The stages decide on many at once; what a set tells a person before counts."""

    BOB = replace(ADA, person_id=2)

    def outcomes(self, *batch: Facts) -> list[Outcome]:
        return [decision.outcome for decision in decide_all(flow.NOTICE, batch)]

    def test_what_one_set_tells_a_person_counts_for_the_rest_of_it_and_for_nobody_else(self):
        batch = [facts(subject=alarm(id=n, unit_id=n), owner=ADA if n < 5 else self.BOB) for n in range(7)]
        held = Hold(NOW + HOUR, Reason.of("enough-for-an-hour", limit=3))
        assert [isinstance(outcome, Hold) for outcome in self.outcomes(*batch)] == [False] * 3 + [True] * 2 + [
            False
        ] * 2
        assert self.outcomes(*batch)[3:5] == [held, held]

    def test_what_is_held_counts_so_that_the_next_is_held_longer(self):
        batch = [facts(subject=alarm(id=n), recent_notice_times=told(50, 20, 10)) for n in range(4)]
        minutes = [(outcome.until - NOW) // MINUTE for outcome in self.outcomes(*batch) if isinstance(outcome, Hold)]
        assert minutes == [10, 40, 50, 70]

    def test_what_is_dropped_or_joins_does_not_count(self):
        historic, joining = facts(subject=alarm(historic=True)), facts(earlier=earlier())
        outcomes = self.outcomes(*[historic] * 4, *[joining] * 4, facts())
        assert [type(outcome) for outcome in outcomes] == [Drop] * 8 + [Pass]

    def test_the_units_of_one_campaign_are_one_message_and_count_once(self):
        update = [facts(subject=recall(severity="info", kind="update", unit_id=n)) for n in range(5)]
        other = [facts(subject=recall(severity="info", kind="update", campaign_id=n)) for n in (10, 11, 12)]
        outcomes = self.outcomes(*update, *other)
        assert [type(outcome) for outcome in outcomes] == [Pass] * 7 + [Hold]

    def test_an_empty_set_has_no_outcomes(self):
        assert decide_all(flow.NOTICE, []) == []

    def test_a_stage_is_not_asked_about_what_was_dropped_before(self):
        asked: list[str] = []
        stages = [stage("a", Drop("no"), asked), stage("b", Pass("yes"), asked)]
        assert [decision.steps for decision in decide_all(stages, [facts()] * 3)] == [(("a", Drop("no")),)] * 3
        assert asked == ["a"] * 3
