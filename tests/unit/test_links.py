"""Signed links: only what we signed, each only for its purpose, and no address in any of them."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.links import Links, OpenLink, UnsubscribeLink, address_digest

LINKS = Links("https://gateway.example/", b"k" * 32)
OPEN = OpenLink("abcdefgh", "push")
UNSUBSCRIBE = UnsubscribeLink("ada", address_digest("Ada@example.org"))


def token(url: str) -> str:
    return url.rpartition("/")[2]


def test_a_link_is_read_back_as_what_it_was_made_of():
    assert LINKS.open(OPEN).startswith("https://gateway.example/l/")
    assert LINKS.unsubscribe(UNSUBSCRIBE).startswith("https://gateway.example/u/")
    assert LINKS.read_open(token(LINKS.open(OPEN))) == OPEN
    assert LINKS.read_unsubscribe(token(LINKS.unsubscribe(UNSUBSCRIBE))) == UNSUBSCRIBE


def test_a_link_is_good_for_its_own_purpose_only():
    assert LINKS.read_unsubscribe(token(LINKS.open(OPEN))) is None
    assert LINKS.read_open(token(LINKS.unsubscribe(UNSUBSCRIBE))) is None


def test_another_installation_reads_nothing():
    assert Links("https://gateway.example", b"j" * 32).read_open(token(LINKS.open(OPEN))) is None


def test_every_changed_character_is_refused():
    good = token(LINKS.open(OPEN))
    for place, character in enumerate(good):
        # The last character of a part holds bits that nobody reads; b64decode refuses none of them.
        if place in {good.index(".") - 1, len(good) - 1}:
            continue
        other = "A" if character != "A" else "B"
        assert LINKS.read_open(good[:place] + other + good[place + 1 :]) is None


def test_the_address_stands_in_no_link():
    url = LINKS.unsubscribe(UNSUBSCRIBE)
    payload = token(url).partition(".")[0]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    assert b"example" not in text
    assert address_digest(" ADA@Example.org ") == UNSUBSCRIBE.address


@pytest.mark.parametrize("nonsense", ["", ".", "a", "a.b", "....", "ä.ö", "A" * 5000, "AAAA.AAAA", "%00.%00"])
def test_nonsense_is_no_link(nonsense):
    assert LINKS.read_open(nonsense) is None
    assert LINKS.read_unsubscribe(nonsense) is None


@given(st.text(string.ascii_letters + string.digits + "-_.=ü", max_size=120))
def test_nobody_guesses_one(text):
    assert LINKS.read_open(text) is None
    assert LINKS.read_unsubscribe(text) is None
