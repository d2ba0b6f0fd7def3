"""What needs no database: addresses, passwords, networks, and which requests come from our own pages."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.datastructures import Headers

from gateway.accounts.model import acceptable_password, canonical_address, new_address
from gateway.accounts.passwords import Passwords
from gateway.accounts.sessions import session_id
from gateway.api.auth import cookie_name, network
from gateway.api.csrf import SameOrigin
from gateway.config import Settings
from gateway.core.errors import BadInput, TooManyAttempts

QUICK = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace@EXAMPLE.org ", "ada.lovelace@example.org"),
        ("ada@bücher.example", "ada@bücher.example"),
        ("ada@XN--BCHER-KVA.example", "ada@bücher.example"),
    ],
)
def test_an_address_has_one_form(written, kept):
    assert canonical_address(written) == kept
    assert canonical_address(kept) == kept


@pytest.mark.parametrize(
    "written", ["", "ada", "@example.org", "ada@", "a@b@c", "ada@example.org\nBcc: x@y.z", "a\x00@b.org"]
)
def test_anything_else_is_no_address(written):
    with pytest.raises(BadInput):
        canonical_address(written)


@pytest.mark.parametrize("written", ["ada@bücher.example", "ada@XN--BCHER-KVA.example"])
def test_a_code_is_mailed_to_a_domain_in_any_letters(written):
    assert new_address(written) == "ada@bücher.example"


def test_a_code_is_not_mailed_where_many_servers_do_not_mail():
    with pytest.raises(BadInput, match=r"cannot be used: the part before the @ has letters"):
        new_address("jürgen@example.org")
    assert canonical_address("jürgen@example.org") == "jürgen@example.org", "who has an account signs in as before"


@pytest.mark.parametrize(("length", "good"), [(11, False), (12, True), (200, True), (201, False)])
def test_a_password_has_12_to_200_characters(length, good):
    if good:
        assert acceptable_password("ä" * length) == "ä" * length
    else:
        with pytest.raises(BadInput, match="cannot be taken"):
            acceptable_password("x" * length)


def test_a_password_is_the_same_however_a_keyboard_composes_it():
    passwords = Passwords(1, QUICK)
    kept = passwords.hash(acceptable_password("pässwort genug"))
    assert passwords.verify("pa\u0308sswort genug", kept)
    assert not passwords.verify("passwort genug", kept)


def test_without_a_hash_no_password_is_right_not_even_none():
    passwords = Passwords(1, QUICK)
    assert not passwords.verify("", None)
    assert not passwords.verify("anything", None)


def test_a_password_is_kept_as_argon2id_of_the_recommended_cost():
    assert Passwords(1).hash("correct horse battery").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_session_is_named_by_something_that_opens_nothing():
    assert session_id("token") == session_id("token") != session_id("other")
    assert len(session_id("token")) == 16


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", "unknown"),
    ],
)
def test_a_network_is_an_address_or_a_subnet(address, key):
    """One household has a whole /64, and may not try once with each of its addresses."""
    assert network(SimpleNamespace(client=SimpleNamespace(host=address))) == key


def test_the_cookie_is_bound_to_the_host_where_there_is_tls():
    assert cookie_name(Settings(public_url="https://gateway.example")) == "__Host-session"
    assert cookie_name(Settings(public_url="http://127.0.0.1:8080")) == "session"


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": "https://gateway.example"}, True),
        ({"origin": "https://gateway.example:443"}, False),
        ({"origin": "https://gateway.example.evil.example"}, False),
        ({"origin": "https://evil.example", "cookie": "__Host-session=x"}, False),
        ({"origin": "http://10.0.0.5:8080"}, True),
        ({"sec-fetch-site": "same-origin", "cookie": "__Host-session=x"}, True),
        ({"sec-fetch-site": "Same-Origin"}, False),
        ({"cookie": "__Host-session=x"}, False),
        ({"cookie": "a=b; __Host-session=x"}, False),
        ({"cookie": "theme=dark"}, True),
        ({}, True),
    ],
)
def test_behind_a_proxy_our_own_pages_are_still_ours(headers, ours):
    reached, answered = [], []

    async def app(scope, _receive, _send):
        reached.append(scope)

    async def send(message):
        answered.append(message.get("status"))

    guard = SameOrigin(app, Settings(public_url="https://gateway.example"))
    raw = Headers({"host": "10.0.0.5:8080"} | headers).raw
    asyncio.run(guard({"type": "http", "method": "POST", "path": "/", "headers": raw}, None, send))
    assert (bool(reached), 403 in answered) == (ours, not ours)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "a minute"), (60, "a minute"), (61, "2 minutes"), (890, "15 minutes")]
)
def test_too_many_tries_say_when_to_try_again(seconds, words):
    error = TooManyAttempts(timedelta(seconds=seconds))
    assert error.message == f"That was tried too often. Try again in {words}."
    assert error.retry_after_s == max(1, seconds)
