import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, field_validator

from gateway.core.errors import BadInput, GatewayError, NotFound, Unavailable, problems_of
from gateway.core.ids import random_id


class Line(BaseModel):
    amounts: list[int]

    @field_validator("amounts")
    @classmethod
    def _some(cls, amounts: list[int]) -> list[int]:
        if not amounts:
            raise ValueError("write at least one")
        return amounts


def test_bad_input_shows_every_problem_on_a_line_of_its_own():
    error = BadInput("units.csv was not imported:", ["line 2: a", "line 3: b"])
    assert str(error) == "units.csv was not imported:\n  line 2: a\n  line 3: b"


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [(NotFound, "not_found", 404), (BadInput, "bad_input", 422), (Unavailable, "unavailable", 503)],
)
def test_each_error_has_its_code_and_http_status(error: type[GatewayError], code: str, status: int):
    assert (error("…").code, error("…").status) == (code, status)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"amounts": [1, "x"]}, "line 7: amounts.1: Input should be a valid integer"),
        ({"amounts": []}, "line 7: amounts: write at least one"),
        ("x", "line 7: the whole: Input should be a valid dictionary"),
    ],
)
def test_a_refused_field_is_named_with_its_place(content: object, problem: str):
    with pytest.raises(ValidationError) as refused:
        Line.model_validate(content)
    (told,) = problems_of(refused.value, "line 7")
    assert told.startswith(problem)


@given(st.integers(1, 50))
def test_public_ids_are_sixteen_letters_and_never_the_same(count: int):
    ids = {random_id() for _ in range(count)}
    assert len(ids) == count
    assert all(re.fullmatch(r"[a-z2-7]{16}", each) for each in ids)
