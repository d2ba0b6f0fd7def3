from datetime import timedelta

import pytest
from rules_factory import rule, threshold

from gateway.rules.figures import span
from gateway.rules.sentence import sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"condition": threshold(above=90, clear_below=85), "for": "5m"},
            "Raise *Pump overheats* when temp_c stays above 90 °C for 5 min; clear below 85 °C",
        ),
        (
            {"condition": threshold(above=90)},
            "Raise *Pump overheats* when temp_c goes above 90 °C; clear at 90 °C or below",
        ),
        (
            {"condition": threshold(below=1.5, clear_above=2), "keep_firing_for": "30s"},
            "Raise *Pump overheats* when temp_c goes below 1.5 °C; clear after 30 s above 2 °C",
        ),
        (
            {"condition": threshold(above=90, below=10, clear_above=20), "for": "1h30m", "max_gap": "10m"},
            (
                "Raise *Pump overheats* when temp_c stays below 10 or above 90 °C for 1 h 30 min; "
                "clear above 20 °C and at 90 °C or below; start the wait again after a silence over 10 min"
            ),
        ),
    ],
)
def test_a_rule_is_said_in_one_plain_sentence(changes: dict[str, object], said: str):
    assert sentence(rule(**changes)) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=1.5), "1.5 s"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(days=2, seconds=1), "2 d 1 s"),
    ],
)
def test_spans_are_said_plainly(length: timedelta, said: str):
    assert span(length) == said
