"""A kind of condition is one file and one line of the registry: a made-up one goes the whole road of a rule."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from rules_factory import METRIC_IDS, METRICS, SECOND, document, readings, rule, state_for, take, threshold
from second_kind import Code

from gateway.core.errors import BadInput
from gateway.notify.text import notice_text, why
from gateway.rules.condition import Condition
from gateway.rules.document import RULE, RuleDocument, load_rules, stored_rule
from gateway.rules.evaluator import judge
from gateway.rules.kinds import KINDS
from gateway.rules.registry import Metric
from gateway.rules.selftest import run_tests
from gateway.rules.sentence import plain_sentence, sentence
from gateway.rules.table import compile_rules
from gateway.rules.validate import check
from tests.unit.test_notify_stages import ADA, alarm

CODE, TEMP = 5, METRIC_IDS["temp_c"]
IDS = METRIC_IDS | {"code": CODE}
ALL_METRICS = METRICS | {"code": Metric("code", "", 0, 99, None, None, timedelta(seconds=5))}
WRITTEN = document(
    id="pump-leaks",
    title={"en": "Pump leaks"},
    condition={"kind": "code", "signal": "code", "equals": 7},
    tests=[
        {"name": "leak", "every": "5s", "series": {"code": "0 7x9"}, "expect": [{"raised_at": "15s"}]},
        {"name": "other codes", "every": "5s", "series": {"code": "6x9 8x9"}, "expect": []},
    ],
) | {"for": "10s"}
BESIDE = threshold(above=90), threshold(metric="pressure_bar", unit="bar", below=1)


@pytest.fixture(autouse=True)
def second_kind(monkeypatch):
    monkeypatch.setitem(KINDS, "code", Code)


def load(folder: Path, *documents: dict[str, object]):
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return load_rules(path)


def test_it_is_read_from_yaml_beside_the_other_kind_and_from_the_database(tmp_path):
    first, second = load(tmp_path, document(), WRITTEN)
    assert (type(first.condition), second.condition) == (
        KINDS["threshold"],
        Code(kind="code", signal="code", equals=7),
    )
    kept = second.model_dump(mode="json", by_alias=True)
    assert stored_rule(kept, RULE.schema) == second
    assert second.digest() != rule(**WRITTEN | {"condition": WRITTEN["condition"] | {"equals": 8}}).digest()


def test_its_problems_name_the_file_and_its_own_fields(tmp_path):
    with pytest.raises(BadInput) as refused:
        load(tmp_path, WRITTEN | {"condition": {"kind": "code", "equals": "seven", "above": 9}})
    assert [problem.split(": ")[1] for problem in refused.value.problems] == [
        "condition.signal",
        "condition.equals",
        "condition.above",
    ]
    with pytest.raises(ValidationError, match="'threshold' or 'code'"):
        rule(condition={"kind": "magic"})


def test_it_is_validated_against_the_products_metrics_by_itself_and_tested():
    leak = rule(**WRITTEN)
    assert check(leak, ALL_METRICS) == []
    assert run_tests(leak, ALL_METRICS) == []
    assert check(leak, METRICS)[0].startswith("condition.signal: the product has no metric code; ")
    assert check(rule(**WRITTEN | {"for": "1s"}), ALL_METRICS)[0].startswith("for: is shorter than the 5s")
    assert run_tests(rule(**WRITTEN | {"for": "15s"}), ALL_METRICS) != []


def test_it_is_said_in_its_own_words():
    leak = rule(**WRITTEN)
    assert sentence(leak) == "Raise *Pump leaks* when code stays 7 for 10 s; clear at any other"
    assert plain_sentence(leak, "Kode", "de") == "Wir melden uns, wenn „Kode“ 10 s lang 7 ist."


def test_it_is_judged_beside_rules_of_the_other_kind():
    rules = [rule(condition=BESIDE[0]), rule(**WRITTEN), rule(condition=BESIDE[1]), rule(**WRITTEN | {"for": "0s"})]
    table = compile_rules(list(enumerate(rules, 1)), IDS, ALL_METRICS)
    state = state_for(table)
    rows = [(7, CODE, 5 * second * SECOND, code) for second, code in enumerate([0, 7, 7, 7, 8])]
    rows += [(7, TEMP, 10 * SECOND, 95.0), (8, TEMP, 10 * SECOND, 70.0), (8, CODE, 0, 6.0), (8, CODE, SECOND, 8.0)]
    rows += [(9, METRIC_IDS["pressure_bar"], 20 * SECOND, 0.5)]
    found = [
        (change.kind, change.version_id, change.unit_id, change.onset // SECOND, change.at // SECOND, change.value)
        for change in take(state, table, readings(rows)).changes
    ]
    assert found == [
        ("raised", 4, 7, 5, 5, 7.0),
        ("raised", 1, 7, 10, 10, 95.0),
        ("raised", 2, 7, 5, 15, 7.0),
        ("cleared", 2, 7, 5, 20, 8.0),
        ("raised", 3, 9, 20, 20, 0.5),
        ("cleared", 4, 7, 5, 20, 8.0),
    ]


def test_what_is_known_of_a_rule_stays_when_the_other_kind_comes_and_goes():
    hot, leak = (1, rule(condition=BESIDE[0])), (2, rule(**WRITTEN))
    alone, both = (compile_rules(rules, IDS, ALL_METRICS) for rules in ([hot], [hot, leak]))
    state = state_for(alone)
    take(state, alone, readings([(7, TEMP, 0, 95.0)]))
    state = state.for_rules(both.versions, both.metrics)
    take(state, both, readings([(7, CODE, 0, 7.0)]))
    state = state.for_rules(alone.versions, alone.metrics)
    (change,) = judge(state, alone, readings([(7, TEMP, 5, 20.0)])).changes
    assert (change.kind, change.version_id, change.onset, change.onset_value) == ("cleared", 1, 0, 95.0)


def test_its_notice_says_its_limit_and_its_words():
    evidence = {"metric": "code", "unit": "", "onset_value": 7.0, "value": 7.0, "extreme": 7.0}
    text = {"en": {"title": "Code {limit}", "body": "It reports {value}.", "action": "Close the tap."}}
    leak = alarm(rule=rule(**WRITTEN | {"text": text}), evidence=evidence, metric_title={"en": "Code"})
    assert notice_text(leak, ADA) == {"title": "Code 7", "body": "It reports 7.", "action": "Close the tap."}
    because = why(leak, replace(ADA, language="de"))
    assert (because["metric"], because["limit"]) == ("code", 7)
    assert because["plain"] == "Wir melden uns, wenn „Code“ 10 s lang 7 ist."


def test_the_gateway_knows_of_a_condition_only_its_kind():
    """The type check keeps it from reading more: as far as it knows, a rule's condition has no other field."""
    assert RuleDocument.model_fields["condition"].annotation is Condition
    assert list(Condition.model_fields) == ["kind"]
