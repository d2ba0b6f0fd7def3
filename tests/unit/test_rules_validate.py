import pytest
from rules_factory import METRICS, document, rule, threshold

from gateway.rules.validate import check

RAISES, SILENT = document()["tests"]


def test_a_sound_rule_has_no_problems():
    assert check(rule(), METRICS) == []
    band = threshold(above=90, below=10, clear_below=80, clear_above=20)
    assert check(rule(condition=band, **{"for": "5s", "max_gap": "5s"}), METRICS) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"condition": threshold(unit="F", above=90)},
            "condition.unit: temp_c is measured in °C; write °C and the limits in it",
        ),
        (
            {"condition": threshold(above=150)},
            "condition.above: 150 is not within what temp_c can be, -40 to 150 °C; write a limit that can be passed",
        ),
        (
            {"condition": threshold(below=-40)},
            "condition.below: -40 is not within what temp_c can be, -40 to 150 °C; write a limit that can be passed",
        ),
        (
            {"condition": threshold(above=90, clear_below=95)},
            "condition.clear_below: is on the wrong side of `above`; write 90 or less",
        ),
        (
            {"condition": threshold(below=10, clear_above=5)},
            "condition.clear_above: is on the wrong side of `below`; write 10 or more",
        ),
        (
            {"condition": threshold(above=90, clear_above=80)},
            "condition.clear_above: goes with `below`, which is not given; write clear_below, or add `below`",
        ),
        (
            {"condition": threshold(below=10, clear_below=20)},
            "condition.clear_below: goes with `above`, which is not given; write clear_above, or add `above`",
        ),
        (
            {"condition": threshold(above=90, clear_below=-40)},
            (
                "condition.clear_below: -40 is not within what temp_c can be, -40 to 150 °C; "
                "write a level that can be reached"
            ),
        ),
        (
            {"condition": threshold(above=10, below=90)},
            (
                "condition.below: below 90 and above 10 overlap, so nearly every value would raise; "
                "write a `below` under 10"
            ),
        ),
        (
            {"condition": threshold(above=90, below=10, clear_below=20, clear_above=30)},
            (
                "condition.clear_above: above 30 and below 20 leave no value that clears the alarm; "
                "write a clear_above under 20"
            ),
        ),
        ({"for": "4s"}, "for: is shorter than the 5s between two readings; write 5s or more, or 0s"),
        ({"max_gap": "4s"}, "max_gap: is shorter than the 5s between two readings; write more than 5s"),
        ({"tests": [SILENT]}, "tests: none expects an alarm; add a test whose series raises it, with `raised_at`"),
        ({"tests": [RAISES]}, "tests: none stays silent; add a test with `expect: []`"),
        (
            {"tests": [RAISES, SILENT, SILENT | {"series": {"pressure_bar": "1"}}]},
            "tests.2.series: has no temp_c; add its samples",
        ),
        (
            {"tests": [RAISES, SILENT | {"series": {"temp_c": "1", "presure_bar": "1"}}]},
            "tests.1.series: the product has no metric presure_bar; did you mean pressure_bar?",
        ),
    ],
)
def test_a_problem_names_the_field_and_what_to_write(changes: dict[str, object], problem: str):
    assert check(rule(**changes), METRICS) == [problem]


def test_an_unknown_metric_comes_with_the_close_one_or_all_there_are():
    (problem,) = check(rule(condition=threshold(metric="tmp_c", above=90)), METRICS)[:1]
    assert problem == "condition.metric: the product has no metric tmp_c; did you mean temp_c?"
    (problem,) = check(rule(condition=threshold(metric="xyz", above=90)), METRICS)[:1]
    assert problem == "condition.metric: the product has no metric xyz; write one of pressure_bar, temp_c"
