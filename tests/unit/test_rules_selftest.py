from pathlib import Path

import pytest
import yaml
from rules_factory import METRICS, rule, threshold

import gateway.demo
from gateway.core.duration import parse_duration
from gateway.rules.document import load_rules
from gateway.rules.registry import Metric
from gateway.rules.selftest import run_tests
from gateway.rules.validate import check

DATA = Path(gateway.demo.__path__[0]) / "data"


def with_test(series: str, *expect: dict[str, str]):
    test = {"name": "warm-up", "every": "5s", "series": {"temp_c": series}, "expect": list(expect)}
    return rule(condition=threshold(above=90, clear_below=85), tests=[test], **{"for": "10s"})


@pytest.mark.parametrize(
    ("series", "expect"),
    [
        ("70x5", []),
        ("70+5x10", [{"raised_at": "35s"}]),
        ("95x3 80 95x3", [{"raised_at": "10s", "cleared_at": "15s"}, {"raised_at": "30s"}]),
        ("95x2 _x6 95x3", [{"raised_at": "50s"}]),
        ("_x3", []),
    ],
)
def test_a_test_that_expects_what_comes_passes(series: str, expect: list[dict[str, str]]):
    assert run_tests(with_test(series, *expect), METRICS) == []


@pytest.mark.parametrize(
    ("series", "expect", "failure"),
    [
        ("95x3", [], "expected silence, got raised at 10s, still raised at the end"),
        ("70x3", [{"raised_at": "5s"}], "expected raised at 5s, still raised at the end, got silence"),
        (
            "95x3 80",
            [{"raised_at": "10s", "cleared_at": "20s"}],
            "expected raised at 10s, cleared at 20s, got raised at 10s, cleared at 15s",
        ),
    ],
)
def test_a_test_that_fails_says_what_was_expected_and_what_came(series, expect, failure):
    assert run_tests(with_test(series, *expect), METRICS) == [f"test 'warm-up': {failure}"]


def test_a_metric_that_the_product_does_not_have_fails_the_tests():
    assert run_tests(rule(condition=threshold(metric="rpm", above=90)), METRICS) == ["the product has no metric rpm"]


def demo_metrics(product: Path) -> dict[str, Metric]:
    return {
        metric["name"]: Metric(
            metric["name"],
            metric["unit"],
            *metric["range"],
            *metric.get("normal", (None, None)),
            parse_duration(metric["cadence"]),
        )
        for metric in yaml.safe_load(product.read_text())["metrics"]
    }


@pytest.mark.parametrize("path", sorted((DATA / "rules").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_demo_rules_fit_their_product_speak_two_languages_and_pass_their_tests(path: Path):
    metrics = demo_metrics(DATA / "products" / path.name)
    for demo in load_rules(path):
        assert demo.product == path.stem
        assert demo.title.keys() == demo.text.keys() == {"en", "de"}
        assert check(demo, metrics) == []
        assert run_tests(demo, metrics) == []


def test_the_demo_has_rules():
    assert len([rule for path in (DATA / "rules").glob("*.yaml") for rule in load_rules(path)]) == 6
