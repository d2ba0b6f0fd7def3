"""Sign-up and invitations over HTTP and a real database: who becomes somebody, and what nobody can find out."""

from datetime import timedelta

import pytest

from gateway.accounts.invitations import invite
from gateway.accounts.service import create, disable
from gateway.config import Settings
from gateway.core.errors import BadInput
from gateway.roles.maintenance import forget_old
from tests.dsl.people import PASSWORD, password_hash
from tests.factories import make_fleet

ADA = "ada@example.org"


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
            "time_zone": "UTC", "rights": [],
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

    def test_an_address_that_not_every_server_mails_to_is_refused_in_words(self, world, db):
        refused = world.browser().sign_up("jürgen@example.org")
        assert refused.status_code == 422
        assert "the part before the @ has letters that many mail servers do not take" in refused.json()["detail"]
        with pytest.raises(BadInput, match="before the @"):
            invite(db, world.settings, "jürgen@example.org", "J", "support", None, world.now())
        assert db.execute("SELECT FROM letter UNION ALL SELECT FROM sign_in_code").fetchall() == []

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
        forget_old(db, Settings(), world.now())
        assert db.execute("SELECT count(*) AS n FROM sign_in_code").fetchone()["n"] == 0


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


def test_two_browsers_that_confirm_one_address_make_one_account(world, db):
    """Whoever is second is refused, also when both had a good code."""
    one, two = world.browser(), world.browser()
    one.sign_up()
    first = world.code(ADA)
    two.sign_up()
    assert one.confirm(code=first).status_code == 200
    assert two.confirm().status_code == 400
    assert db.execute("SELECT count(*) AS n FROM account").fetchone()["n"] == 1
