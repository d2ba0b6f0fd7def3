"""What administrators do to accounts of the staff: at once, seen by others, and never so that none of them is left."""

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.accounts import staff
from gateway.accounts.administrators import LastAdministrator
from gateway.accounts.model import STAFF, Forbidden
from gateway.accounts.rights import RIGHTS
from gateway.accounts.service import create
from gateway.accounts.staff import Administrator, OwnAccount
from gateway.api.stream.filters import EventAndOwner, end_of_session
from gateway.cli.staff import change_member, staff_lines
from gateway.events import Position, read
from gateway.store import connect
from tests.dsl.people import PASSWORD, session, site

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ROLES = ("customer", *STAFF)


@pytest.fixture
def world(url, db):
    with site(url, db) as made:
        yield made


def account(db, role, name):
    return create(db, f"{name}@example.org", name.title(), role, NOW)


def administrators(db):
    return db.execute(
        "SELECT count(*) AS n FROM account WHERE role = 'administrator' AND disabled_at IS NULL"
    ).fetchone()["n"]


def acts_on(db, who):
    return [row["act"] for row in db.execute("SELECT act FROM staff_act WHERE account_id = %s ORDER BY id", [who.id])]


class TestRoles:
    def test_another_role_counts_from_the_next_request_and_ends_the_sessions(self, world, db):
        chief = world.as_("administrator")
        sam = account(db, "support", "sam")
        browser = world.browser()
        browser.enter(session(world.url, "support", "sam@example.org"))
        assert browser.get("/api/looks").status_code == 403
        changed = chief.put(f"/api/staff/{sam.person_public_id}/role", {"role": "administrator"})
        assert changed.status_code == 204
        assert not browser.is_in
        browser.enter(session(world.url, "administrator", "sam@example.org"))
        assert browser.get("/api/looks").status_code == 200
        assert acts_on(db, sam) == ["role"]
        assert ("account.role_given", "administrator") in [
            (kind, data.get("role")) for kind, _, data in world.events() if data.get("account") == sam.public_id
        ]

    def test_open_streams_of_who_lost_a_role_end_with_it(self, world, db):
        """A stream of the staff carries everything; it must not outlive the role."""
        sam = account(db, "support", "sam")
        chief = world.as_("administrator")
        ended = end_of_session(sam.public_id, "a session of theirs")
        assert chief.put(f"/api/staff/{sam.person_public_id}/role", {"role": "customer"}).status_code == 204
        events = read(db, Position(), 100)
        assert any(ended(EventAndOwner(event, None)) for event in events)

    def test_who_is_of_the_staff_no_longer_is_a_customer_with_what_they_own(self, world, db):
        sam = account(db, "support", "sam")
        chief = world.as_("administrator")
        chief.put(f"/api/staff/{sam.person_public_id}/role", {"role": "customer"})
        browser = world.browser()
        browser.enter(session(world.url, "customer", "sam@example.org"))
        assert (browser.get("/api/units").status_code, browser.get("/api/my/units").status_code) == (403, 200)
        assert "Sam" not in [member["name"] for member in chief.get("/api/staff").json()["members"]]

    def test_an_invitation_that_was_not_taken_ends_with_a_change_of_role(self, world, db):
        """Else a role that was taken could be fetched again with an old letter."""
        chief = world.as_("administrator")
        sam = account(db, "support", "sam")
        chief.post("/api/staff/invitations", {"email": sam.email, "name": "Sam", "role": "administrator"})
        chief.put(f"/api/staff/{sam.person_public_id}/role", {"role": "customer"})
        body = {"email": sam.email, "code": world.code(sam.email), "password": PASSWORD}
        assert world.browser().post("/api/invitations/accept", body).status_code == 400

    def test_nobody_changes_their_own_role_nor_disables_themselves(self, world, db):
        chief = world.as_("administrator")
        account(db, "administrator", "other")
        me = chief.get("/api/me").json()["person"]
        for answer in (
            chief.put(f"/api/staff/{me}/role", {"role": "support"}),
            chief.post(f"/api/staff/{me}/disable"),
            chief.post(
                "/api/staff/invitations", {"email": "Administrator@example.org", "name": "Me", "role": "support"}
            ),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "own_account")
        assert chief.is_in

    def test_a_customer_gets_no_role_without_an_invitation(self, world, db):
        ada = account(db, "customer", "ada")
        answer = world.as_("administrator").put(f"/api/staff/{ada.person_public_id}/role", {"role": "support"})
        assert answer.status_code == 404


class TestDisabled:
    def test_who_is_disabled_is_out_at_once_and_back_when_enabled(self, world, db):
        chief = world.as_("administrator")
        sam = account(db, "support", "sam")
        browser = world.browser()
        browser.enter(session(world.url, "support", "sam@example.org"))
        chief.post(f"/api/staff/{sam.person_public_id}/disable")
        assert not browser.is_in
        assert next(m for m in chief.get("/api/staff").json()["members"] if m["name"] == "Sam")["disabled_at"]
        chief.post(f"/api/staff/{sam.person_public_id}/enable")
        browser.enter(session(world.url, "support", "sam@example.org"))
        assert browser.is_in
        assert acts_on(db, sam) == ["disabled", "enabled"]

    def test_sessions_end_everywhere_and_nothing_else_changes(self, world, db):
        chief = world.as_("administrator")
        sam = account(db, "support", "sam")
        browsers = [world.browser() for _ in range(2)]
        for browser in browsers:
            browser.enter(session(world.url, "support", "sam@example.org"))
        chief.post(f"/api/staff/{sam.person_public_id}/end-sessions")
        assert [browser.is_in for browser in browsers] == [False, False]
        (member,) = [m for m in chief.get("/api/staff").json()["members"] if m["name"] == "Sam"]
        assert (member["role"], member["disabled_at"], member["sessions"]) == ("support", None, 0)


class TestInvitations:
    def test_an_open_invitation_is_listed_and_can_be_taken_back(self, world):
        chief = world.as_("administrator")
        chief.post("/api/staff/invitations", {"email": "eve@example.org", "name": "Eve", "role": "support"})
        (invitation,) = chief.get("/api/staff").json()["invitations"]
        assert (invitation["email"], invitation["name"], invitation["role"]) == ("eve@example.org", "Eve", "support")
        assert chief.post("/api/staff/invitations/withdraw", {"email": "Eve@example.org"}).status_code == 204
        assert chief.get("/api/staff").json()["invitations"] == []
        body = {"email": "eve@example.org", "code": world.code("eve@example.org"), "password": PASSWORD}
        assert world.browser().post("/api/invitations/accept", body).status_code == 400
        assert chief.post("/api/staff/invitations/withdraw", {"email": "eve@example.org"}).status_code == 404

    def test_the_only_administrator_cannot_become_another_by_an_invitation(self, world, db):
        chief = world.as_("administrator")
        email = "administrator@example.org"
        with db.transaction():
            code = staff.invite(db, world.settings, Administrator(), email, "Chief", "support", NOW)
        body = {"email": email, "code": code, "password": PASSWORD}
        world.ahead += NOW - world.now()
        answer = world.browser().post("/api/invitations/accept", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
        assert administrators(db) == 1
        assert chief


class TestAnAdministratorIsAlwaysLeft:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(["disable", "enable", *ROLES]), st.integers(0, 3), st.none() | st.integers(0, 3)),
            max_size=12,
        )
    )
    def test_whatever_they_do_to_each_other(self, db, steps):
        """By pages or by commands, in any order."""
        people = [account(db, "administrator", name) for name in ("ann", "ben", "cid", "dot")]
        db.execute("UPDATE account SET disabled_at = NULL")
        for act, whom, by in steps:
            actor = Administrator(None if by is None else people[by])
            try:
                with db.transaction():
                    if act == "disable":
                        staff.disable(db, actor, people[whom], NOW)
                    elif act == "enable":
                        staff.enable(db, actor, people[whom], NOW)
                    else:
                        staff.change_role(db, actor, people[whom], act, NOW)
            except (LastAdministrator, OwnAccount, Forbidden):
                pass
            assert administrators(db) >= 1

    def test_two_who_demote_each_other_at_the_same_moment(self, url, db):
        for _ in range(5):
            ann, ben = (account(db, "administrator", name) for name in ("ann", "ben"))
            together = threading.Barrier(2)

            def demote(by, whom, together=together):
                with connect(url, "test") as connection:
                    together.wait()
                    try:
                        with connection.transaction():
                            staff.change_role(connection, Administrator(by), whom, "support", NOW)
                    except (LastAdministrator, Forbidden):
                        pass

            threads = [threading.Thread(target=demote, args=pair) for pair in ((ann, ben), (ben, ann))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert administrators(db) == 1


def test_the_table_of_rights_is_the_one_that_is_asked(world):
    table = world.as_("administrator").get("/api/staff/rights").json()
    assert {line["right"]: tuple(line["roles"]) for line in table["rights"]} == RIGHTS


def test_what_was_done_is_listed_with_who_did_it(world, db):
    chief = world.as_("administrator")
    sam = account(db, "support", "sam")
    chief.put(f"/api/staff/{sam.person_public_id}/role", {"role": "product_manager"})
    change_member(world.url, "sam@example.org", "disable", None, NOW)
    lines = chief.get("/api/staff/acts").json()["acts"]
    assert [(line["act"], line["role"], line["by"] and line["by"]["name"], line["to"]["name"]) for line in lines] == [
        ("disabled", None, None, "Sam"),
        ("role", "product_manager", "A administrator", "Sam"),
    ]


def test_the_commands_list_and_change_the_staff(url, db):
    account(db, "administrator", "ann")
    account(db, "support", "sam")
    assert change_member(url, "sam@example.org", "role", "product_manager", NOW) == (
        "Sam (sam@example.org) is product_manager now."
    )
    assert change_member(url, "sam@example.org", "disable", None, NOW).endswith("cannot sign in any more.")
    assert staff_lines(url, NOW) == [
        "ann@example.org  administrator  Ann: not signed in lately, 0 sessions",
        "sam@example.org  product_manager  Sam: not signed in lately, 0 sessions  DISABLED",
    ]
    with pytest.raises(LastAdministrator):
        change_member(url, "ann@example.org", "role", None, NOW)
