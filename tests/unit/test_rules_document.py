from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from rules_factory import document, rule, threshold

from gateway.core.errors import BadInput
from gateway.rules.document import MAX_SAMPLES, RuleDocument, load_rules, parse_series


def test_a_rule_reads_as_it_is_written():
    read = rule(**{"for": "5m", "keep_firing_for": "30s", "max_gap": "2m"})
    assert (read.for_, read.keep_firing_for, read.max_gap) == tuple(timedelta(seconds=s) for s in (300, 30, 120))
    assert read.condition.above == 90
    assert rule().for_ == timedelta(0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"title": {"de": "Pumpe"}}, "add `en`"),
        ({"text": {"de": document()["text"]["en"]}}, "add `en`"),
        ({"audience": []}, "at least 1 item"),
        ({"severity": "loud"}, "'info', 'warning'"),
        ({"condition": threshold()}, "give `above`, `below` or both"),
        ({"condition": threshold(above=float("nan"))}, "finite"),
        ({"condition": {"kind": "magic"}}, "'threshold'"),
        ({"for": "5"}, "write it like 30s"),
        ({"version": 2}, "Extra inputs"),
        ({"id": "Pump overheats"}, "pattern"),
        ({"text": {"en": {"title": "{value.real}", "body": "x", "action": "x"}}}, "use only {limit} {product}"),
        ({"text": {"en": {"title": "{value:>9}", "body": "x", "action": "x"}}}, "cannot be filled in"),
        ({"text": {"en": {"title": "{}", "body": "x", "action": "x"}}}, "cannot be filled in"),
        ({"text": {"en": {"title": "{", "body": "x", "action": "x"}}}, "'{'"),
        ({"tests": [{"name": "x", "every": "5s", "series": {"temp_c": "9y"}, "expect": []}]}, "not a run of samples"),
        ({"tests": [{"name": "x", "every": "0s", "series": {"temp_c": "9"}, "expect": []}]}, "write it like 5s"),
    ],
)
def test_a_document_that_cannot_be_a_rule_is_refused_with_what_to_write(changes: dict[str, object], says: str):
    with pytest.raises(ValidationError) as refused:
        rule(**changes)
    assert says in str(refused.value)


def test_the_digest_follows_what_the_document_says_and_not_how():
    spelled_out = rule(**{"for": "0s", "condition": threshold(above=90.0, below=None), "audience": ["owner", "owner"]})
    assert spelled_out.digest() == rule().digest()
    assert rule(**{"for": "60s"}).digest() == rule(**{"for": "1m"}).digest()
    assert rule(condition=threshold(above=91)).digest() != rule().digest()
    assert rule(severity="info").digest() != rule().digest()


def test_the_json_schema_says_how_a_rule_is_written():
    schema = RuleDocument.model_json_schema(by_alias=True)
    assert schema["properties"]["for"] | {"description": ""} == {
        "default": "0s",
        "description": "",
        "title": "For",
        "type": "string",
    }
    assert schema["properties"]["title"]["required"] == ["en"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("70", [70]),
        ("95x3", [95, 95, 95]),
        ("70+1x3", [70, 71, 72]),
        ("1-0.1x4", [1, 0.9, 0.8, 0.7]),
        ("-5.5-1x2", [-5.5, -6.5]),
        ("1 _ 2 _x2", [1, None, 2, None, None]),
    ],
)
def test_a_series_is_written_as_runs_of_samples(text: str, samples: list[float | None]):
    assert parse_series(text) == samples


@pytest.mark.parametrize(
    "text", ["", "70+1", "_+1x2", "x3", "1e3", "nan", "7 0x", f"1x{MAX_SAMPLES} 1", "1x9999999999"]
)
def test_a_series_that_cannot_be_read_is_refused(text: str):
    with pytest.raises(ValueError, match=r"series|run of samples"):
        parse_series(text)


def test_a_file_holds_one_or_several_rules(tmp_path: Path):
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump_all([document(), document(id="other")]))
    assert [read.id for read in load_rules(path)] == ["pump-overheats", "other"]


def problems(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        load_rules(path)
    return [problem.removeprefix(f"{path}:") for problem in refused.value.problems]


def test_problems_name_the_file_the_line_and_the_field(tmp_path: Path):
    text = yaml.safe_dump(document(), sort_keys=False)
    broken = text.replace("above: 90", "abvoe: 90").replace("severity: warning", "severity: loud")
    line = {text.split(":")[0].strip(): nth for nth, text in enumerate(broken.splitlines(), 1)}
    found = problems(tmp_path / "rules.yaml", f"---\n{text}---\n{broken}")
    offset = len(text.splitlines()) + 2
    assert found == [
        f"{line['abvoe'] + offset}: condition.abvoe: there is no such field; correct its spelling or take it out",
        f"{line['severity'] + offset}: severity: Input should be 'info', 'warning', 'critical' or 'safety'",
    ]


def test_a_missing_field_is_reported_where_it_belongs(tmp_path: Path):
    text = yaml.safe_dump(document(condition=threshold()), sort_keys=False).replace("  unit: °C\n", "")
    text = text.replace('  unit: "\\xB0C"\n', "")
    line = next(nth for nth, text in enumerate(text.splitlines(), 1) if text.startswith("condition"))
    assert problems(tmp_path / "rules.yaml", text) == [f"{line}: condition.unit: is missing; add it"]


def test_a_key_written_twice_is_a_problem(tmp_path: Path):
    """YAML would keep the second limit and say nothing."""
    text = "id: a\ncondition:\n  above: 90\n  above: 95\n"
    assert problems(tmp_path / "rules.yaml", text) == ["4: above: is written twice; keep one"]


def test_two_rules_of_one_file_have_two_ids(tmp_path: Path):
    text = yaml.safe_dump_all([document(), document()])
    (problem,) = problems(tmp_path / "rules.yaml", text)
    assert "pump-overheats is also another rule's" in problem


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: !!python/object:os.system {}", "\x00", "- 1", "---\n"])
def test_a_file_that_holds_no_rule_is_a_problem_and_not_a_crash(tmp_path: Path, text: str):
    assert problems(tmp_path / "rules.yaml", text)


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        load_rules(tmp_path / "none.yaml")
