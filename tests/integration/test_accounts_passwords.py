"""Passwords over HTTP and a real database: who gets in, who has to wait, and how a lost one is set anew."""

from concurrent.futures import ThreadPoolExecutor

from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.accounts.service import create, disable
from tests.dsl.people import PASSWORD, site

ADA = "ada@example.org"


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
        """Then a reset is answered as ever and mails nothing, for the newest code is good; a sign-up has to wait."""
        with site(url, db, codes_per_address=2, codes_per_network=100) as world:
            for email in (ADA, "nobody@example.org"):
                browser = world.browser()
                assert browser.post("/api/password-reset", {"email": email}).status_code == 202
                assert browser.sign_up(email).status_code == 202
                assert browser.post("/api/password-reset", {"email": email}).status_code == 202
                assert len(world.letters(email)) == 2
                refused = browser.sign_up(email)
                assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
                assert 14 * 60 < int(refused.headers["Retry-After"]) <= 15 * 60
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


def test_together_many_tries_are_still_only_so_many(url, db):
    """The limit holds also when the tries do not wait for each other's answer."""
    with site(url, db, sign_in_tries=3, hashes_at_once=4) as world, ThreadPoolExecutor(8) as threads:
        tries = [threads.submit(world.browser().sign_in, "x@example.org", "wrong") for _ in range(8)]
        answers = sorted(each.result().status_code for each in tries)
    assert answers == [401] * 3 + [429] * 5
