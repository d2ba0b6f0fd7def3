"""Claim codes: what counts as the same code, and that none is kept in clear."""

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.registrations.codes import SALT_BYTES, canonical_code, hash_code, is_code
from gateway.registrations.model import UnitRow

SALT = bytes(range(SALT_BYTES))


@pytest.mark.parametrize("typed", ["K7QM-2XRT", "k7qm2xrt", " k7qm 2xrt ", "K7QM\N{EN DASH}2XRT", "Ｋ7QM-2XRT"])
def test_case_spaces_dashes_and_wide_letters_do_not_count(typed):
    assert canonical_code(typed) == "K7QM2XRT"


@pytest.mark.parametrize("typed", ["", "-", "K7QM-2XR", "K" * 33, "K7QM-2XRÄ", "K7QM.2XRT"])
def test_what_is_no_code_is_refused(typed):
    """An empty or a short code would let anybody in."""
    with pytest.raises(ValueError, match="8 to 32 letters and digits"):
        canonical_code(typed)


@given(st.from_regex(r"[0-9A-Z]{8,32}", fullmatch=True), st.from_regex(r"[0-9A-Z]{8,32}", fullmatch=True))
def test_only_the_same_code_is_the_code(one, other):
    assert is_code(other, hash_code(one, SALT)) == (one == other)


def test_the_same_code_is_kept_differently_for_each_unit():
    assert hash_code("K7QM2XRT", SALT) != hash_code("K7QM2XRT", SALT[::-1])
    assert b"K7QM2XRT" not in hash_code("K7QM2XRT", SALT)


def test_a_line_of_a_units_file_does_not_show_its_code():
    row = UnitRow(product="pump", serial="P1", claim_code="K7QM-2XRT")
    assert "K7QM" not in repr(row)
    with pytest.raises(ValidationError) as refused:
        UnitRow(product="pump", serial="P1", claim_code="K7QM-!")
    assert "8 to 32" in str(refused.value.errors()[0]["msg"])


def test_every_unit_of_the_demo_has_a_code_of_its_own():
    text = (files("gateway.demo") / "data" / "units.csv").read_text("utf-8")
    codes = [canonical_code(row["claim_code"]) for row in csv.DictReader(text.splitlines())]
    assert len(codes) == len(set(codes)) == 200
