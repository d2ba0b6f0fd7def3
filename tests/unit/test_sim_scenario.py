"""A scenario is checked before anything is sent, and what is wrong is named with its line and field."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from device_sim import cli
from device_sim.errors import SimError
from device_sim.run.scenario import load, parse, schema_text, shipped

SCHEMA = Path(__file__).parents[2] / "schemas" / "scenario.schema.json"
HEAD = "name: mine\nabout: To see.\n"


def problems(text: str) -> list[str]:
    with pytest.raises(SimError) as refused:
        parse(text, "mine.yaml")
    return str(refused.value).splitlines()[1:]


def test_the_schema_in_the_repository_is_what_the_models_say():
    """Else: device-sim schema --out schemas/scenario.schema.json."""
    assert SCHEMA.read_text("utf-8") == schema_text()


def test_nine_scenarios_ship_and_each_is_valid_and_says_what_it_shows():
    found = shipped()
    assert len(found) == 9
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    for name, text in found.items():
        assert text.startswith("# What it shows: "), name
        assert load(name).name == name
        validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "durration: 60s\n", "mine.yaml:3: durration: there is no such field"),
        ("name: mine\n", "mine.yaml:1: about: is missing; add it"),
        (HEAD + "every: fast\n", "mine.yaml:3: every: String should match pattern"),
        (HEAD + "receipts: true\nbuffer: 10\n", "mine.yaml:4: buffer: Input should be greater than or equal to 200"),
        (HEAD + "receipts: true\nresend: 0s\n", "mine.yaml:1: the document: resend must be longer than nothing"),
        (HEAD + "duration: 0s\n", "mine.yaml:1: the document: duration must be longer than nothing"),
        (
            HEAD + "troubles:\n  - kind: late\n    by: 9s..1s\n",
            "mine.yaml:5: troubles[0].by: '9s..1s' begins above its end",
        ),
        (
            HEAD + "troubles:\n  - {kind: late}\n  - {kind: storm}\n",
            "mine.yaml:5: troubles[1].at: is missing; add it",
        ),
        (
            HEAD + "troubles:\n  - {kind: lateness}\n",
            "mine.yaml:4: troubles[0]: Input tag 'lateness' found using 'kind'",
        ),
        (
            HEAD + "troubles:\n  - kind: poison\n    kinds: [nan, arsenic]\n",
            "mine.yaml:5: troubles[0].kinds[1]: there is no poison 'arsenic'; there are: bad-json",
        ),
        (HEAD + "troubles:\n  - {kind: late, share: 120%}\n", "mine.yaml:4: troubles[0].share: '120%' is not between"),
        (
            HEAD + "faults:\n  - {fault: rust, at: 1s, for: 2s}\n",
            "mine.yaml:4: faults[0].fault: there is no fault 'rust'",
        ),
        (HEAD + "name: yours\n", "mine.yaml:3: name is written twice"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_field(text, line):
    assert any(each.strip().startswith(line) for each in problems(text)), problems(text)


def test_a_file_that_is_no_yaml_is_named_with_its_line():
    with pytest.raises(SimError, match=r"mine\.yaml:4: expected"):
        parse(HEAD + "troubles: [\n", "mine.yaml")


def test_a_name_that_nobody_knows_lists_those_there_are():
    with pytest.raises(SimError, match="one of: clock-trouble, duplicates"):
        load("steadily")


def test_the_command_writes_the_schema_and_says_when_a_file_is_out_of_date(tmp_path, capsys):
    file = tmp_path / "scenario.schema.json"
    assert cli.main(["schema", "--out", str(file)]) == 0
    assert cli.main(["schema", "--out", str(file), "--check"]) == 0
    file.write_text("{}")
    assert cli.main(["schema", "--out", str(file), "--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert file.read_text() == "{}"
    assert cli.main(["schema"]) == 0
    assert capsys.readouterr().out == schema_text()
