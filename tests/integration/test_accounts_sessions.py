"""Sessions over HTTP and a real database: how they begin and end, and what other sites cannot do with them."""

from datetime import timedelta

import pytest

from gateway.accounts.service import create, disable
from tests.dsl.people import PASSWORD, session, site

ADA = "ada@example.org"


class TestSessions:
    def test_only_the_digest_is_kept(self, world, db):
        browser = world.browser().join()
        (row,) = db.execute("SELECT token_hash FROM session").fetchall()
        assert len(row["token_hash"]) == 32
        assert browser.token.encode() not in bytes(row["token_hash"])

    def test_the_cookie_is_for_http_only_and_for_this_site(self, world):
        browser = world.browser()
        browser.sign_up()
        (cookie,) = [each for each in browser.confirm().headers.get_list("set-cookie") if each.startswith("session=")]
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert flags == {"httponly", "path=/", "samesite=lax", "max-age=2592000"}

    def test_with_tls_it_is_bound_to_the_host(self, url, db):
        with site(url, db, public_url="https://gateway.example") as world:
            browser = world.browser()
            browser.sign_up()
            (cookie,) = [
                each for each in browser.confirm().headers.get_list("set-cookie") if each.startswith("__Host-session=")
            ]
            assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
            assert "domain" not in cookie.lower()
            assert browser.is_in
            plain = world.browser()
            plain.client.cookies.set("session", browser.client.cookies["__Host-session"])
            assert not plain.is_in

    def test_sign_in_makes_a_new_session_and_ends_the_one_that_was_there(self, world):
        """Nobody can plant a session and wait for its owner to sign in with it."""
        world.browser().join()
        thief = world.as_("customer", "thief@example.org")
        victim = world.browser()
        victim.enter(thief.token)
        planted = victim.token
        assert victim.sign_in().status_code == 200
        assert victim.token != planted
        assert victim.get("/api/me").json()["email"] == ADA
        assert not thief.is_in
        unknown = world.browser()
        unknown.enter("chosen-by-somebody-else")
        unknown.sign_in()
        assert unknown.token != "chosen-by-somebody-else"

    def test_sign_out_ends_this_session_only(self, world):
        one, two = world.browser().join(), world.browser()
        two.sign_in()
        token = one.token
        answer = one.post("/api/sign-out")
        assert answer.status_code == 204
        assert one.token is None
        one.enter(token)
        assert not one.is_in, "the token itself is worth nothing any more"
        assert two.is_in
        assert one.post("/api/sign-out").status_code == 204

    def test_sign_out_everywhere_ends_all_of_them_at_once_and_says_so(self, world):
        one, two, other = world.browser().join(), world.browser(), world.browser().join("b@example.org")
        two.sign_in()
        account = one.get("/api/me").json()
        assert two.post("/api/sign-out-everywhere").status_code == 204
        assert (one.is_in, two.is_in, other.is_in) == (False, False, True)
        assert world.events()[-1] == (
            "account.signed_out_everywhere", account["person"], {"account": account["id"], "reason": "asked for"},
        )  # fmt: skip

    def test_a_session_ends_when_it_is_not_used_for_thirty_days(self, world):
        browser = world.browser().join()
        for days in (20, 45, 70):
            world.ahead = timedelta(days=days)
            assert browser.get("/api/me").status_code == 200, "in use it lives on"
        token = browser.token
        world.ahead = timedelta(days=101)
        browser.enter(token)
        assert not browser.is_in

    def test_one_account_has_so_many_sessions(self, url, db):
        with site(url, db, sessions_max=2) as world:
            first = world.browser().join()
            second = world.browser()
            second.sign_in()
            world.browser().sign_in()
            assert (first.is_in, second.is_in) == (False, True)

    def test_a_disabled_account_is_out_at_once(self, world, db):
        browser = world.browser().join()
        with db.transaction():
            disable(db, create(db, ADA, "", "customer", world.now()), world.now(), actor="test")
        assert not browser.is_in
        assert browser.sign_in().status_code == 401
        browser.post("/api/password-reset", {"email": ADA})
        assert world.letters(ADA)[0]["status"] == "failed"

    @pytest.mark.parametrize("token", ["", "x", "x" * 5000, "ä", "\"'--"])
    def test_any_other_token_is_nobody(self, world, token):
        answer = world.browser().client.get("/api/me", headers={"Cookie": f"session={token}".encode()})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


class TestOtherSites:
    @pytest.mark.parametrize(
        ("headers", "passes"),
        [
            ({"Sec-Fetch-Site": "same-origin"}, True),
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({"Sec-Fetch-Site": "same-site"}, False),
            ({"Sec-Fetch-Site": "none"}, False),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8080"}, False),
            ({"Origin": "http://127.0.0.1:8080"}, True),
            ({"Origin": "http://127.0.0.1:8081"}, False),
            ({"Origin": "https://evil.example"}, False),
            ({"Origin": "null"}, False),
            ({"Origin": ""}, False),
            ({}, False),
        ],
    )
    def test_what_they_send_with_a_session_is_not_done(self, world, headers, passes):
        browser = world.as_("customer")
        answer = browser.client.post("/api/sign-out-everywhere", headers=headers)
        assert answer.status_code == (204 if passes else 403)
        if not passes:
            assert (answer.json()["code"], browser.is_in) == ("cross_site", True)
            assert answer.headers["content-security-policy"]

    def test_a_client_without_cookies_needs_no_header(self, world):
        world.browser().join()
        answer = world.browser().client.post("/api/sign-in", json={"email": ADA, "password": PASSWORD})
        assert answer.status_code == 200

    def test_a_foreign_form_cannot_sign_a_visitor_in(self, world):
        world.browser().join()
        browser = world.browser()
        answer = browser.client.post(
            "/api/sign-in", json={"email": ADA, "password": PASSWORD}, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
        assert browser.token is None


def test_a_session_made_directly_is_one(world, url):
    browser = world.browser()
    browser.enter(session(url, "support"))
    assert browser.get("/api/me").json()["role"] == "support"


def test_neither_codes_nor_addresses_nor_tokens_stand_in_the_event_log(world, db):
    browser = world.browser().join()
    browser.post("/api/password-reset", {"email": ADA})
    code = world.code(ADA)
    browser.post("/api/password-reset/confirm", {"email": ADA, "code": code, "password": "a brand new password"})
    world.browser().sign_up()
    world.as_("administrator").post("/api/staff/invitations", {"email": ADA, "name": "Ada", "role": "support"})
    invitation = world.code(ADA)
    accept = {"email": ADA, "code": invitation, "password": PASSWORD}
    browser.post("/api/invitations/accept", accept)
    token = browser.token
    browser.post("/api/sign-out")
    browser.sign_in()
    browser.post("/api/sign-out-everywhere")
    text = str(world.events())
    assert len(world.events()) > 10
    for secret in ("example.org", "Ada", code, invitation, token, token[:8]):
        assert secret not in text
