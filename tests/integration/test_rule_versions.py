"""Rules come into force as versions that are never edited, and only when they are sound."""

from importlib.resources import as_file, files
from pathlib import Path

import pytest

from gateway.cli import main as cli
from gateway.core.errors import BadInput
from gateway.imports.service import apply_rules, import_files, retire_rules
from gateway.rules import repository as rules
from tests.factories import HOT, apply_hot_rule, make_fleet

RULE = "pump-hot"
SOUND = HOT % {"for": "0s", "raised": "3s", "severity": "warning", "audience": "owner"}


def versions(db) -> list[tuple[int, bool, str]]:
    rows = db.execute("SELECT version, active, document->>'severity' AS severity FROM rule_version ORDER BY id")
    return [tuple(row.values()) for row in rows]


def rule_events(db) -> list[tuple[str, int, str]]:
    rows = db.execute("SELECT kind, (data->>'version')::int, actor FROM event WHERE kind LIKE 'rule.%' ORDER BY id")
    return [tuple(row.values()) for row in rows]


@pytest.fixture
def pumps(url) -> str:
    make_fleet(url)
    return url


def test_the_same_document_is_no_new_version(pumps, db, tmp_path):
    """Comments, order and spelled-out defaults say nothing."""
    file = tmp_path / "pump-hot.yaml"
    file.write_text(SOUND)
    assert apply_rules(pumps, [file], actor="test") == [f"{RULE}: version 1 is in force"]
    file.write_text("# the same\nkeep_firing_for: 0s\n" + SOUND.replace("for: 0s", "for: 0m"))
    assert apply_rules(pumps, [file], actor="test") == [f"{RULE}: in force already"]
    assert versions(db) == [(1, True, "warning")]
    assert rule_events(db) == [("rule.activated", 1, "test")]


def test_an_edit_is_version_2_and_retires_version_1(pumps, db, tmp_path):
    apply_hot_rule(pumps, tmp_path)
    before = rules.in_force(db)
    apply_hot_rule(pumps, tmp_path, severity="critical")
    assert versions(db) == [(1, False, "warning"), (2, True, "critical")]
    assert rule_events(db) == [("rule.activated", 1, "test"), ("rule.activated", 2, "test")]
    assert rules.in_force(db).versions != before.versions
    (version,) = rules.versions(db, rules.in_force(db).versions)
    assert (version.version, version.document.severity) == (2, "critical")


def test_a_retired_rule_is_out_of_force_and_comes_back_as_the_version_it_was(pumps, db, tmp_path):
    apply_hot_rule(pumps, tmp_path)
    assert retire_rules(pumps, [RULE, "nothing"], actor="test") == [
        f"{RULE}: out of force",
        "nothing: was not in force",
    ]
    assert retire_rules(pumps, [RULE], actor="test") == [f"{RULE}: was not in force"]
    assert rules.in_force(db).versions == ()
    apply_hot_rule(pumps, tmp_path)
    assert versions(db) == [(1, True, "warning")]
    assert rule_events(db) == [
        ("rule.activated", 1, "test"),
        ("rule.deactivated", 1, "test"),
        ("rule.activated", 1, "test"),
    ]


def test_going_back_to_an_older_document_is_a_new_version(pumps, db, tmp_path):
    """A version number stands for one span of time, so that an alarm says under which words it was raised."""
    for severity in ("warning", "critical", "warning"):
        apply_hot_rule(pumps, tmp_path, severity=severity)
    assert versions(db) == [(1, False, "warning"), (2, False, "critical"), (3, True, "warning")]


BAD = {
    "a test that fails": (SOUND.replace("raised_at: 3s", "raised_at: 4s"), "test 'fires': expected raised at 4s"),
    "a product that is not here": (SOUND.replace("product: pump", "product: boat"), "'boat' is not here"),
    "a metric that is not here": (SOUND.replace("metric: temp_c", "metric: temp"), "the product has no metric temp"),
    "another unit": (SOUND.replace("unit: °C", "unit: °F"), "temp_c is measured in °C"),
    "no test that is silent": (SOUND[: SOUND.rindex("  - {name: silent")], "none stays silent"),
    "a wait without end": (SOUND.replace("for: 0s", "for: 999999999d"), "too long for a duration"),
    "not YAML": ("id: [", ""),
    "a field that is not there": (SOUND + "color: red\n", "color: there is no such field"),
}


def test_one_bad_rule_file_and_nothing_is_applied(pumps, db, tmp_path, subtests):
    good = tmp_path / "good.yaml"
    good.write_text(SOUND)
    for what, (text, problem) in BAD.items():
        with subtests.test(what):
            bad = tmp_path / "bad.yaml"
            bad.write_text(text.replace("id: pump-hot", "id: pump-bad"))
            with pytest.raises(BadInput) as refusal:
                apply_rules(pumps, [good, bad], actor="test")
            assert problem in str(refusal.value)
            assert versions(db) == []
            assert rule_events(db) == []


def test_one_rule_in_two_files_is_refused(pumps, db, tmp_path):
    """Else whichever file comes last would win, and the versions would count up with every apply."""
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(SOUND)
    two.write_text(SOUND.replace("severity: warning", "severity: critical"))
    with pytest.raises(BadInput, match=r"two\.yaml: pump-hot: .*one\.yaml"):
        apply_rules(pumps, [one, two], actor="test")
    assert versions(db) == []


def test_a_check_applies_nothing(pumps, db, tmp_path):
    file = tmp_path / "pump-hot.yaml"
    file.write_text(SOUND)
    assert apply_rules(pumps, [file], actor="test", dry=True) == [f"{RULE}: sound, 2 tests pass"]
    assert versions(db) == []


def test_the_rules_of_the_demo_are_sound(url, db, capsys, monkeypatch):
    """By the command, as a maker would check them."""
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    with as_file(files("gateway.demo") / "data") as data:
        import_files(url, "products", sorted(Path(data).glob("products/*.yaml")), actor="demo")
        rule_files = sorted(Path(data).glob("rules/*.yaml"))
        with pytest.raises(SystemExit) as ended:
            cli(["rules", "check", *map(str, rule_files)])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= len(rule_files) >= 3
    assert all(": sound, " in line for line in lines)
    assert versions(db) == []
