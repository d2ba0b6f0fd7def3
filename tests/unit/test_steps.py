"""Instructions become steps."""

import json
from pathlib import Path

import pytest

from gateway.notify.steps import after_action, steps

CASES = json.loads((Path(__file__).parents[1] / "data" / "steps.json").read_text("utf-8"))
STOP = ["Nicht mehr benutzen", "Stop using it now"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:20])
def test_instructions_are_split_into_lines_or_sentences(case):
    assert steps(case["text"]) == case["steps"]


def test_what_repeats_the_action_is_no_step_of_its_own():
    assert after_action(STOP, ["Stop using it now!", "Pull the plug."]) == ["Pull the plug."]
    assert after_action(STOP, ["Pull the plug."]) == ["Pull the plug."]
    assert after_action(STOP, []) == []
