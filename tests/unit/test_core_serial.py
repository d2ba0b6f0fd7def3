import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.serial import canonical_serial

plates = st.text(alphabet="0189aAzZßﬁ①Ａ９._: -\u2010\u2011\u2013\u2014\u2015\uff0d\ufe58\u00a0\u3000\t", max_size=40)


@pytest.mark.parametrize(
    ("printed", "serial"),
    [
        ("HP90-23-001256", "HP9023001256"),
        (" hp90 23 001256 ", "HP9023001256"),
        ("HP90\u201023\u2011001\u2013256", "HP9023001256"),
        ("HP90\u201423\u2015001\uff0d256", "HP9023001256"),
        ("ＨＰ９０\u3000２３", "HP9023"),
        ("a.b:c_d", "A.B:C_D"),
        ("\ufb01x-\u00df", "FIXSS"),
        ("0" * 64, "0" * 64),
    ],
)
def test_a_serial_is_the_same_however_it_was_typed(printed: str, serial: str):
    assert canonical_serial(printed) == serial


@pytest.mark.parametrize("printed", ["", " ", "- \u2014 \uff0d"])
def test_an_empty_serial_says_so(printed: str):
    with pytest.raises(ValueError, match="is empty"):
        canonical_serial(printed)


@pytest.mark.parametrize("printed", ["A/B", "A+B", "A#", "_A", ".A", "ÄB", "A\0B", "A\u200bB", "0" * 65])
def test_a_serial_no_plate_carries_is_refused(printed: str):
    """A slash, plus or hash would also change the meaning of the MQTT topic it stands in."""
    with pytest.raises(ValueError, match="letters, digits"):
        canonical_serial(printed)


@given(st.one_of(plates, st.text(max_size=20)))
def test_a_canonical_serial_is_canonical_and_every_other_text_is_a_value_error(printed: str):
    try:
        serial = canonical_serial(printed)
    except ValueError:
        return
    assert canonical_serial(serial) == serial
    assert serial.isascii()
    assert serial == serial.upper()


@given(plates)
def test_case_spaces_and_dashes_never_matter(printed: str):
    try:
        serial = canonical_serial(printed)
    except ValueError:
        assume(False)
    assert canonical_serial(f" {printed.lower()}-\u2013") == serial


def test_a_serial_padded_without_end_is_refused():
    """Each padding would be a spelling of its own, kept wherever a topic is."""
    assert canonical_serial("P1" + "-" * 126) == "P1"
    with pytest.raises(ValueError, match="129 characters; 128 at most"):
        canonical_serial("P1" + "-" * 127)
