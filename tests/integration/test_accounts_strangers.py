"""What strangers spend with somebody's address stops strangers: its owner gets in, and guessing stays hopeless."""

from datetime import timedelta
from itertools import count

import pytest

from gateway.config import Settings
from gateway.roles.maintenance import forget_old
from tests.dsl.people import PASSWORD, site

ADA = "ada@example.org"
NEW = "a brand new password"
NETWORKS = (f"198.51.{number // 250}.{number % 250}" for number in count())


def stranger(world):
    """A browser that nobody knows, in a network of its own."""
    return world.browser(address=next(NETWORKS))


def tell(world, browser, code=None, email=ADA):
    """Tell a reset code: the one in the newest letter, without another one."""
    body = {"email": email, "code": code or newest_code(world, email), "password": NEW}
    return browser.post("/api/password-reset/confirm", body).status_code


def newest_code(world, email=ADA):
    return next(letter["data"]["code"] for letter in world.letters(email) if "code" in letter["data"])


def wrong_code(world, email=ADA):
    """A code that is none of those that were mailed."""
    mailed = {letter["data"].get("code") for letter in world.letters(email)}
    return next(code for code in ("00000000", "11111111", "22222222", "33333333") if code not in mailed)


def ask_for_reset(browser, email=ADA):
    return browser.post("/api/password-reset", {"email": email})


def spend_everything(world, email=ADA):
    """What one can do to somebody whose address one knows."""
    for _ in range(12):
        stranger(world).sign_in(email, "a wrong password")
    for _ in range(6):
        assert ask_for_reset(stranger(world), email).status_code == 202
    for _ in range(6):
        assert tell(world, stranger(world), wrong_code(world, email), email) == 400


def later(db, minutes):
    """Tries were so much longer ago."""
    db.execute("UPDATE attempt SET at = at - make_interval(mins => %s)", [minutes])


class TestTheOwnerGetsIn:
    def test_by_the_mailed_code_from_a_browser_that_nobody_knows(self, world):
        world.browser().join()
        spend_everything(world)
        owner = world.browser(address="203.0.113.99")
        assert owner.sign_in().status_code == 429, "passwords from unknown browsers stay limited"
        letters = len(world.letters(ADA))
        assert ask_for_reset(owner).status_code == 202
        assert len(world.letters(ADA)) == letters, "no further mail: the newest code is good"
        assert tell(world, owner) == 200

    def test_by_the_password_from_a_browser_used_before(self, world):
        owner = world.browser().join()
        owner.post("/api/sign-out")
        spend_everything(world)
        assert owner.sign_in().status_code == 200

    def test_by_a_code_of_their_own_from_a_browser_used_before(self, world):
        owner = world.browser().join()
        owner.post("/api/sign-out")
        spend_everything(world)
        letters = len(world.letters(ADA))
        assert ask_for_reset(owner).status_code == 202
        assert len(world.letters(ADA)) == letters + 1
        assert tell(world, owner) == 200

    def test_by_the_code_they_asked_for_when_all_open_tries_are_spent(self, url, db):
        with site(url, db, code_tries_per_address=6) as world:
            world.browser().join()
            spend_everything(world)
            later(db, 8)
            owner = stranger(world)
            ask_for_reset(owner)
            code = newest_code(world)
            for _ in range(3):
                stranger(world).sign_in(ADA, "a wrong password")
                ask_for_reset(stranger(world))
                tell(world, stranger(world), wrong_code(world))
            assert tell(world, stranger(world), code) == 429, "others have no try left"
            assert tell(world, owner, code) == 200

    def test_by_the_code_they_asked_for_in_a_network_where_somebody_guesses(self, url, db):
        with site(url, db, network_tries=3) as world:
            world.browser().join()
            owner, neighbour = world.browser(address="192.0.2.1"), world.browser(address="192.0.2.1")
            ask_for_reset(owner)
            for number in range(4):
                neighbour.sign_in(f"{number}@example.org", "wrong")
            assert neighbour.sign_in("9@example.org").status_code == 429
            assert tell(world, owner) == 200

    def test_with_the_right_code_after_a_code_of_another_letter_was_typed(self, world):
        """Several letters lie there; people take any of the newest ones."""
        world.browser().join()
        owner = stranger(world)
        ask_for_reset(owner)
        own = newest_code(world)
        ask_for_reset(stranger(world))
        assert tell(world, owner, wrong_code(world)) == 400
        assert tell(world, owner) == 200
        assert tell(world, owner, own) == 400, "one code was told, and all are done"

    def test_and_changes_the_password_while_strangers_try_it(self, world):
        owner = world.browser().join()
        spend_everything(world)
        assert owner.post("/api/password", {"present": PASSWORD, "password": NEW}).status_code == 200

    def test_with_an_invitation_that_strangers_guessed_at(self, world):
        admin = world.as_("administrator")
        body = {"email": "sam@example.org", "name": "Sam", "role": "support"}
        assert admin.post("/api/staff/invitations", body).status_code == 202
        told = {"email": "sam@example.org", "code": "00000000", "password": NEW}
        for _ in range(6):
            assert stranger(world).post("/api/invitations/accept", told).status_code == 400
        told["code"] = world.code("sam@example.org")
        assert world.browser().post("/api/invitations/accept", told).status_code == 200


class TestTheGuesserIsStopped:
    def test_a_network_has_five_tries_at_codes_it_did_not_ask_for(self, world):
        world.browser().join()
        ask_for_reset(stranger(world))
        guesser = stranger(world)
        assert [tell(world, guesser, wrong_code(world)) for _ in range(6)] == [400] * 5 + [429]
        assert tell(world, guesser) == 429, "also the right one"

    def test_all_networks_together_have_so_many_tries(self, url, db):
        with site(url, db, code_tries_per_address=4) as world:
            world.browser().join()
            ask_for_reset(stranger(world))
            assert [tell(world, stranger(world), wrong_code(world)) for _ in range(5)] == [400] * 4 + [429]
            later(db, 61)
            assert tell(world, stranger(world)) == 200

    def test_only_the_newest_codes_can_be_told_by_a_browser_that_did_not_ask(self, world):
        world.browser().join()
        ask_for_reset(stranger(world))
        oldest = newest_code(world)
        for _ in range(3):
            ask_for_reset(stranger(world))
        assert tell(world, stranger(world), oldest) == 400
        assert tell(world, stranger(world)) == 200

    def test_a_known_browser_has_its_own_limit(self, url, db):
        with site(url, db, sign_in_tries=3) as world:
            owner = world.browser().join()
            answers = [owner.sign_in(password="a wrong password").status_code for _ in range(4)]
            assert answers == [401, 401, 401, 429]
            assert stranger(world).sign_in().status_code == 200

    def test_a_browser_is_known_for_its_own_account_only(self, world):
        world.browser().join()
        thief = stranger(world).join("thief@example.org")
        spend_everything(world)
        assert thief.sign_in().status_code == 429

    def test_known_and_unknown_addresses_are_answered_alike_all_along(self, url, db):
        """With and without the ticket, until every limit is spent."""
        with site(url, db, code_tries_per_address=9) as world:
            world.browser().join()
            seen = []
            for email in (ADA, "nobody@example.org"):
                asker, other = world.browser(address="192.0.2.1"), world.browser(address="192.0.2.1")
                answers = [ask_for_reset(asker, email).status_code]
                answers += [tell(world, other, "00000000", email) for _ in range(3)]
                answers += [tell(world, asker, "00000000", email) for _ in range(7)]
                answers += [tell(world, other, "00000000", email) for _ in range(2)]
                answers += [ask_for_reset(asker, email).status_code for _ in range(7)]
                seen.append(answers)
                db.execute("DELETE FROM attempt WHERE kind LIKE '%network'")
            assert seen[0] == seen[1]
            assert 429 in seen[0]

    def test_so_many_mails_reach_an_address_in_an_hour_whoever_asks_how_often(self, world, db):
        """Five at any time, and one in each half of a code's life: the newest is good for as long as none is mailed."""
        world.browser().join()
        later(db, 61)
        before = len(world.letters(ADA))
        for _ in range(60):
            ask_for_reset(stranger(world))
            later(db, 1)
        assert len(world.letters(ADA)) - before == 5 + 6


class TestKnownBrowsers:
    def test_only_a_digest_is_kept_and_the_token_changes_with_each_sign_in(self, world, db):
        browser = world.browser().join()
        first = browser.client.cookies["browser"]
        browser.sign_in()
        second = browser.client.cookies["browser"]
        (row,) = db.execute("SELECT token_hash FROM known_browser").fetchall()
        assert first != second
        assert second.encode() not in bytes(row["token_hash"])

    def test_two_accounts_may_be_used_from_one_browser(self, world):
        browser = world.browser().join()
        browser.join("b@example.org")
        for email in (ADA, "b@example.org"):
            spend_everything(world, email)
            assert browser.sign_in(email).status_code == 200

    def test_its_cookie_is_for_http_only_and_for_this_site(self, url, db):
        with site(url, db, public_url="https://gateway.example") as world:
            browser = world.browser()
            browser.sign_up()
            cookies = browser.confirm().headers.get_list("set-cookie")
            (cookie,) = [each for each in cookies if each.startswith("__Host-browser=")]
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "secure", "path=/", "samesite=lax"} <= flags

    def test_it_lets_nobody_in(self, world):
        owner = world.browser().join()
        copy = stranger(world)
        copy.client.cookies.set("browser", owner.client.cookies["browser"], domain="127.0.0.1")
        assert not copy.is_in

    def test_an_account_has_so_many_and_a_new_password_ends_them(self, url, db):
        with site(url, db, browsers_max=2, sign_in_tries=1) as world:
            first = world.browser().join()
            others = [world.browser() for _ in range(2)]
            for browser in others:
                browser.sign_in()
            stranger(world).sign_in(ADA, "a wrong password")
            assert [each.sign_in().status_code for each in (first, *others)] == [429, 200, 200]
            assert others[0].post("/api/password", {"present": PASSWORD, "password": NEW}).status_code == 200
            stranger(world).sign_in(ADA, "a wrong password")
            assert [each.sign_in(password=NEW).status_code for each in others] == [200, 429]

    @pytest.mark.parametrize(("days", "left"), [(179, 1), (181, 0)])
    def test_one_that_is_not_used_for_long_is_forgotten(self, world, db, days, left):
        world.browser().join()
        forget_old(db, Settings(), world.now() + timedelta(days=days))
        assert db.execute("SELECT count(*) AS n FROM known_browser").fetchone()["n"] == left
