"""Accounts over HTTP and a real database: who gets in, who does not, and what nobody can find out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.accounts.invitations import invite
from gateway.accounts.service import create, disable, forget_old
from tests.dsl.people import PASSWORD, password_hash, session, site
from tests.factories import make_fleet

ADA = "ada@example.org"


@pytest.fixture
def world(url, db):
    with site(url, db) as made:
        yield made


def person_of(db, email=ADA):
    return db.execute("SELECT id, public_id, name FROM person WHERE lower(email) = %s", [email]).fetchall()


class TestSigningUp:
    def test_a_mailed_code_makes_the_account_and_signs_in(self, world, db):
        browser = world.browser()
        answer = browser.sign_up()
        assert (answer.status_code, answer.json()) == (202, {"minutes": 15})
        assert person_of(db) == []
        assert not browser.is_in

        answer = browser.confirm()
        assert answer.status_code == 200
        assert answer.json() | {"id": "", "person": ""} == {
            "id": "", "person": "", "name": "Ada", "email": ADA, "language": "en", "role": "customer",
        }  # fmt: skip
        assert browser.is_in
        assert world.kinds() == ["signed_up", "confirmed"]
        assert world.events()[1][1] == person_of(db)[0]["public_id"]

    def test_the_code_is_good_once_and_may_be_written_with_a_space(self, world):
        browser = world.browser()
        browser.sign_up()
        code = world.code(ADA)
        assert browser.confirm(code=f"{code[:4]} {code[4:]}").status_code == 200
        assert browser.confirm(code=code).json()["code"] == "code_refused"

    def test_a_person_from_the_makers_file_is_joined_only_by_the_code(self, url, world, db):
        make_fleet(url)
        (before,) = person_of(db)
        browser = world.browser()
        browser.sign_up("Ada@Example.ORG", name="Ada Lovelace")
        assert db.execute("SELECT count(*) AS n FROM account").fetchone()["n"] == 0
        assert browser.confirm().json()["person"] == before["public_id"]
        assert person_of(db) == [before]

    def test_another_browser_cannot_tell_the_code(self, world, db):
        """Else somebody signs up a victim's address, waits for the victim to tell the code, and has the password."""
        thief, ada = world.browser(), world.browser()
        thief.sign_up(password="the thief knows this one")
        stolen = world.code(ADA)
        ada.sign_up()
        assert ada.confirm(code=stolen).json()["code"] == "code_refused"
        assert ada.confirm().status_code == 200
        assert thief.confirm(code=stolen).json()["code"] == "code_refused"
        assert world.browser().sign_in(password="the thief knows this one").status_code == 401

    def test_a_stranger_cannot_spend_the_tries_of_a_sign_up(self, world):
        ada, stranger = world.browser(), world.browser()
        ada.sign_up()
        for _ in range(6):
            assert stranger.confirm(code="00000000").status_code == 400
        assert ada.confirm().status_code == 200

    def test_five_wrong_tries_void_the_code(self, world):
        browser = world.browser()
        browser.sign_up()
        code = world.code(ADA)
        wrong = f"{(int(code) + 1) % 10**8:08}"
        answers = [browser.confirm(code=wrong) for _ in range(5)]
        assert {answer.json()["code"] for answer in answers} == {"code_refused"}
        assert browser.confirm(code=code).json() == answers[0].json()

    def test_a_code_is_too_old_after_a_quarter_of_an_hour(self, world):
        browser = world.browser()
        browser.sign_up()
        world.ahead = timedelta(minutes=15, seconds=1)
        assert browser.confirm().json()["code"] == "code_refused"

    def test_a_known_address_is_answered_alike_and_its_owner_is_told(self, world, db):
        world.browser().join()
        again = world.browser()
        known, new = again.sign_up(password="another long password"), world.browser().sign_up("new@example.org")
        assert (known.status_code, known.json()) == (new.status_code, new.json())
        assert known.headers.keys() == new.headers.keys()
        assert world.letters(ADA)[0] | {"language": ""} == {
            "template": "account_exists", "language": "", "data": {"name": "Ada"}, "status": "waiting",
        }  # fmt: skip
        assert again.confirm(code="00000000").json()["code"] == "code_refused"
        assert world.browser().sign_in(password="another long password").status_code == 401
        rows = db.execute("SELECT count(*) AS n FROM sign_in_code WHERE used_at IS NULL").fetchone()
        assert rows["n"] == 1, "only the new address has a code"

    @pytest.mark.parametrize("password", ["short", "x" * 11, "x" * 201])
    def test_a_password_has_12_to_200_characters(self, world, password):
        answer = world.browser().sign_up(password=password)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
        assert "password" in answer.json()["problems"][0]
        assert password not in answer.text

    @pytest.mark.parametrize("name", ["", " ", "a\x00b", "x" * 121])
    def test_a_name_is_plain_text(self, world, name):
        assert world.browser().sign_up(name=name).status_code == 422

    def test_an_ended_code_keeps_nothing_of_the_sign_up(self, world, db):
        world.browser().join()
        assert db.execute("SELECT data FROM sign_in_code").fetchall() == [{"data": {}}]
        world.browser().sign_up("b@example.org")
        world.ahead = timedelta(hours=1)
        forget_old(db, world.now())
        assert db.execute("SELECT count(*) AS n FROM sign_in_code").fetchone()["n"] == 0


class TestSigningIn:
    def test_with_address_and_password_however_the_address_is_written(self, world):
        world.browser().join()
        browser = world.browser()
        assert browser.sign_in("  Ada@EXAMPLE.org ").status_code == 200
        assert browser.get("/api/me").json()["name"] == "Ada"

    def test_whatever_is_wrong_is_answered_alike(self, world, db):
        world.browser().join()
        world.browser().join("gone@example.org")
        with db.transaction():
            disable(db, create(db, "gone@example.org", "", "customer", world.now()), world.now(), actor="test")
        with db.transaction():
            create(db, "elsewhere@example.org", "No Password", "customer", world.now())
        answers = [
            world.browser().sign_in(email, password)
            for email, password in [
                (ADA, "a wrong password"),
                ("nobody@example.org", PASSWORD),
                ("gone@example.org", PASSWORD),
                ("elsewhere@example.org", PASSWORD),
                ("elsewhere@example.org", "x"),
            ]
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.text for answer in answers}) == 1
        assert not any("set-cookie" in answer.headers for answer in answers)

    def test_an_unknown_address_costs_a_hash_as_well(self, world, monkeypatch):
        """Equal time, told by what takes the time: one check of an argon2 hash of the same cost."""
        checked = []
        real = Argon2Hasher.verify
        monkeypatch.setattr(
            Argon2Hasher, "verify", lambda self, password, kept: (checked.append(kept), real(self, password, kept))[1]
        )
        world.browser().join()
        world.browser().sign_in(password="a wrong password")
        world.browser().sign_in("nobody@example.org")
        known, unknown = (kept.rsplit("$", 2)[0] for kept in checked)
        assert known == unknown

    def test_too_many_wrong_passwords_for_an_address_wait(self, url, db):
        with site(url, db, sign_in_tries=3) as world:
            world.browser().join()
            for number in range(3):
                assert world.browser(address=f"198.51.100.{number}").sign_in(password="wrong").status_code == 401
            refused = world.browser().sign_in()
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
            assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
            assert refused.json()["detail"] == "That was tried too often. Try again in 15 minutes."
            for _ in range(3):
                world.browser().sign_in("nobody@example.org")
            unknown = world.browser().sign_in("nobody@example.org")
            assert unknown.json() == refused.json(), "a limit does not tell who has an account"

            db.execute("UPDATE attempt SET at = at - interval '16 minutes'")
            assert world.browser().sign_in().status_code == 200

    def test_too_many_wrong_passwords_from_a_network_wait_and_others_do_not(self, url, db):
        with site(url, db, network_tries=3) as world:
            world.browser().join()
            for number in range(3):
                browser = world.browser(address=f"2001:db8:1:2::{number}")
                assert browser.sign_in(f"{number}@example.org").status_code == 401
            assert world.browser(address="2001:db8:1:2:ffff::1").sign_in().status_code == 429
            assert world.browser(address="2001:db8:1:3::1").sign_in().status_code == 200

    def test_right_passwords_are_not_counted(self, url, db):
        with site(url, db, sign_in_tries=2, network_tries=2) as world:
            world.browser().join()
            assert [world.browser().sign_in().status_code for _ in range(4)] == [200] * 4

    def test_a_reset_opens_an_address_that_was_locked(self, url, db):
        """Somebody else's wrong passwords must not keep the owner out for good."""
        with site(url, db, sign_in_tries=1) as world:
            world.browser().join()
            world.browser(address="198.51.100.1").sign_in(password="wrong")
            browser = world.browser()
            assert browser.sign_in().status_code == 429
            browser.post("/api/password-reset", {"email": ADA})
            body = {"email": ADA, "code": world.code(ADA), "password": PASSWORD}
            assert browser.post("/api/password-reset/confirm", body).status_code == 200
            assert world.browser().sign_in().status_code == 200


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


class TestPasswords:
    def reset(self, world, browser, **changes):
        body = {"email": ADA, "code": world.code(ADA), "password": "a brand new password"} | changes
        return browser.post("/api/password-reset/confirm", body)

    def test_a_mailed_code_sets_a_new_one_and_ends_every_session(self, world):
        old = world.browser().join()
        browser = world.browser()
        answer = browser.post("/api/password-reset", {"email": ADA})
        assert (answer.status_code, answer.json()) == (202, {"minutes": 15})
        assert self.reset(world, browser).status_code == 200
        assert (old.is_in, browser.is_in) == (False, True)
        assert world.browser().sign_in().status_code == 401
        assert world.browser().sign_in(password="a brand new password").status_code == 200
        assert world.letters(ADA)[0]["template"] == "password_changed"
        assert world.kinds()[-3:] == ["signed_out_everywhere", "password_reset", "signed_in"]

    def test_an_unknown_address_is_answered_alike_and_gets_no_mail(self, world):
        world.browser().join()
        known = world.browser().post("/api/password-reset", {"email": ADA})
        unknown = world.browser().post("/api/password-reset", {"email": "nobody@example.org"})
        assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
        (letter,) = world.letters("nobody@example.org")
        assert (letter["status"], letter["data"]) == ("failed", {})
        wrong = self.reset(world, world.browser(), email="nobody@example.org", code="00000000")
        assert wrong.json() == self.reset(world, world.browser(), code="00000000").json()

    def test_a_reset_code_does_not_confirm_and_a_sign_up_code_does_not_reset(self, world):
        world.browser().join()
        browser = world.browser()
        browser.post("/api/password-reset", {"email": ADA})
        assert browser.confirm().status_code == 400
        fresh = world.browser()
        fresh.sign_up("b@example.org")
        code = world.code("b@example.org")
        assert self.reset(world, fresh, email="b@example.org", code=code).status_code == 400

    def test_changing_it_needs_the_present_one_and_ends_the_other_sessions(self, world):
        one, two = world.browser().join(), world.browser()
        two.sign_in()
        body = {"present": "a wrong password", "password": "a brand new password"}
        assert one.post("/api/password", body).json()["code"] == "sign_in_refused"
        assert two.is_in
        assert one.post("/api/password", body | {"present": PASSWORD}).status_code == 200
        assert (one.is_in, two.is_in) == (True, False)
        assert world.browser().sign_in(password="a brand new password").status_code == 200

    def test_so_many_codes_are_mailed_to_an_address_in_an_hour(self, url, db):
        with site(url, db, codes_per_address=2, codes_per_network=100) as world:
            for email in (ADA, "nobody@example.org"):
                browser = world.browser()
                assert browser.post("/api/password-reset", {"email": email}).status_code == 202
                assert browser.sign_up(email).status_code == 202
                refused = browser.post("/api/password-reset", {"email": email})
                assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
                assert 59 * 60 < int(refused.headers["Retry-After"]) <= 3600
            assert browser.sign_up("c@example.org").status_code == 202

    def test_a_network_may_have_so_many_codes_mailed(self, url, db):
        with site(url, db, codes_per_network=2) as world:
            answers = [world.browser().sign_up(f"{number}@example.org").status_code for number in range(3)]
            assert answers == [202, 202, 429]
            assert world.browser(address="198.51.100.1").sign_up("9@example.org").status_code == 202

    def test_wrong_codes_from_a_network_wait(self, url, db):
        with site(url, db, network_tries=3) as world:
            browser = world.browser()
            answers = [browser.confirm(f"{number}@example.org", "00000000").status_code for number in range(4)]
            assert answers == [400, 400, 400, 429]


class TestInvitations:
    def accept(self, world, email="eva@example.org", **changes):
        browser = world.browser()
        body = {"email": email, "code": world.code(email), "password": PASSWORD} | changes
        return browser, browser.post("/api/invitations/accept", body)

    def test_an_administrator_invites_and_the_code_gives_the_role(self, world, db):
        boss = world.as_("administrator")
        body = {"email": "Eva@example.org", "name": "Eva", "role": "support"}
        answer = boss.post("/api/staff/invitations", body)
        assert (answer.status_code, answer.json()) == (202, {"days": 7})
        (letter,) = world.letters("eva@example.org")
        assert letter["data"] | {"code": ""} == {
            "name": "Eva", "code": "", "days": 7, "role": "support", "invited_by": "A administrator",
        }  # fmt: skip
        assert person_of(db, "eva@example.org") == []
        browser, answer = self.accept(world)
        assert (answer.status_code, answer.json()["role"]) == (200, "support")
        assert browser.get("/api/units").status_code == 200
        assert world.kinds()[-3:] == ["invited", "confirmed", "role_given"]

    def test_signing_up_with_an_invited_address_gives_no_role(self, world):
        boss = world.as_("administrator")
        boss.post("/api/staff/invitations", {"email": ADA, "name": "Ada", "role": "administrator"})
        invitation = world.code(ADA)
        browser = world.browser()
        browser.sign_up()
        assert browser.confirm(code=invitation).status_code == 400
        assert browser.confirm().json()["role"] == "customer"
        _, answer = self.accept(world, ADA, code=invitation)
        assert answer.json()["role"] == "administrator"
        assert not browser.is_in, "what was opened with less rights does not get more"

    def test_it_is_good_for_a_week_and_once_and_a_new_one_voids_it(self, world):
        boss = world.as_("administrator")
        body = {"email": "eva@example.org", "name": "Eva", "role": "support"}
        boss.post("/api/staff/invitations", body)
        first = world.code("eva@example.org")
        boss.post("/api/staff/invitations", body | {"role": "product_manager"})
        second = world.code("eva@example.org")
        assert self.accept(world, code=first)[1].status_code == 400
        world.ahead = timedelta(days=6, hours=23)
        assert self.accept(world, code=second)[1].json()["role"] == "product_manager"
        assert self.accept(world, code=second)[1].status_code == 400
        boss = world.as_("administrator", "second@example.org")
        boss.post("/api/staff/invitations", body | {"email": "late@example.org"})
        world.ahead += timedelta(days=7, hours=1)
        assert self.accept(world, "late@example.org")[1].status_code == 400

    @pytest.mark.parametrize("role", ["customer", "support", "product_manager"])
    def test_nobody_else_invites(self, world, role):
        body = {"email": "eva@example.org", "name": "Eva", "role": "administrator"}
        answer = world.as_(role).post("/api/staff/invitations", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert world.letters("eva@example.org") == []

    def test_customer_is_not_a_role_to_invite_to(self, world):
        body = {"email": "eva@example.org", "name": "Eva", "role": "customer"}
        assert world.as_("administrator").post("/api/staff/invitations", body).status_code == 422

    def test_a_disabled_account_does_not_come_back_by_invitation(self, world, db):
        with db.transaction():
            account = create(db, "eva@example.org", "Eva", "support", world.now(), password_hash=password_hash())
            disable(db, account, world.now(), actor="test")
            code = invite(db, world.settings, "eva@example.org", "Eva", "administrator", None, world.now())
        assert self.accept(world, code=code)[1].status_code == 400


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


def test_together_many_tries_are_still_only_so_many(url, db):
    """The limit holds also when the tries do not wait for each other's answer."""
    with site(url, db, sign_in_tries=3, hashes_at_once=4) as world, ThreadPoolExecutor(8) as threads:
        tries = [threads.submit(world.browser().sign_in, "x@example.org", "wrong") for _ in range(8)]
        answers = sorted(each.result().status_code for each in tries)
    assert answers == [401] * 3 + [429] * 5


def test_two_browsers_that_confirm_one_address_make_one_account(world, db):
    """Whoever is second is refused, also when both had a good code."""
    one, two = world.browser(), world.browser()
    one.sign_up()
    first = world.code(ADA)
    two.sign_up()
    assert one.confirm(code=first).status_code == 200
    assert two.confirm().status_code == 400
    assert db.execute("SELECT count(*) AS n FROM account").fetchone()["n"] == 1


def test_a_session_made_directly_is_one(world, url):
    browser = world.browser()
    browser.enter(session(url, "support"))
    assert browser.get("/api/me").json()["role"] == "support"
