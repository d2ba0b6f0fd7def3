"""Instructions become steps: the same here and in the application."""

import json
from pathlib import Path

import pytest

from gateway.notify.steps import after_action, steps

CASES = json.loads(
    (Path(__file__).parents[2] / "gateway" / "web" / "src" / "lib" / "steps.cases.json").read_text("utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:20])
def test_instructions_are_split_where_the_application_splits_them(case):
    assert steps(case["text"]) == case["steps"]


def test_what_repeats_the_action_is_no_step_of_its_own():
    assert after_action("Stop using it now", ["Stop using it now!", "Pull the plug."]) == ["Pull the plug."]
    assert after_action("Stop using it now", ["Pull the plug."]) == ["Pull the plug."]
    assert after_action("Stop using it now", []) == []
