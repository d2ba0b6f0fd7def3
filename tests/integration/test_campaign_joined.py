"""A live recall and the units that come, or change, afterwards: counted, shown, and never called fine."""

from itertools import product

import pytest

from gateway.campaigns import candidates, publish
from gateway.campaigns.service import Writer
from gateway.events import append
from gateway.store import connect
from tests.dsl.campaigns import Office, office, response_body
from tests.dsl.owners import CODE, add_reading
from tests.factories.campaigns import RECALL, UPDATE, WITHDRAWAL, add_owners, add_units, person

FIRMWARE = {"by": "firmware", "below": "2.4"}


@pytest.fixture
def at(url, db) -> Office:
    """P1 is Ada's, of lot L1 and recalled by it; P4 is Cleo's, of lot L2."""
    add_units(db, ("P1", "L1", "2.3"), ("P4", "L2", "2.4"), code=CODE)
    add_owners(db, {"P1": "Ada", "P4": "Cleo"})
    with office(url, db) as opened:
        opened.work()
        yield opened


def joined(at, campaign):
    found = at.read(campaign)["joined"]
    return found["units"], found["registered"]


def joined_units(at, campaign):
    units = response_body(at.paula.get(f"/api/campaigns/{campaign['id']}/joined"))["units"]
    return [(unit["serial"], unit["matched"], unit["registered"]) for unit in units]


def my_unit(at, name):
    browser = at.world.as_("customer", f"{name.lower()}@example.org")
    (unit,) = response_body(browser.get("/api/my/units"))["units"]
    return unit


class TestAUnitThatComesLater:
    def test_a_unit_of_a_recalled_lot_that_is_imported_with_an_owner_is_counted_and_shown(self, at):
        campaign = at.publish()
        at.work()
        assert joined(at, campaign) == (0, 0)
        add_units(at.db, ("P5", "L1", None), ("P6", "L1", None), ("P7", "L2", None))
        add_owners(at.db, {"P5": "Dora"})
        at.work()
        assert joined(at, campaign) == (2, 1)
        assert joined_units(at, campaign) == [("P5", "lot L1", True), ("P6", "lot L1", False)]
        assert [told["units"] for told in at.events("campaign.joined")] == [2]
        (line,) = response_body(at.paula.get("/api/campaigns"))["campaigns"]
        assert line["joined"] == {"units": 2, "registered": 1}

    def test_a_unit_whose_lot_is_corrected_joins_and_leaves_again(self, at):
        campaign = at.publish()
        at.work()
        add_units(at.db, ("P4", "L1", "2.4"))
        at.work()
        assert joined_units(at, campaign) == [("P4", "lot L1", True)]
        add_units(at.db, ("P4", "L2", "2.4"))
        at.work()
        assert joined(at, campaign) == (0, 0)
        assert [(told["units"], told["left"]) for told in at.events("campaign.joined")] == [(1, 0), (0, 1)]

    def test_its_owner_sees_at_once_that_it_is_being_checked_and_whom_to_ask(self, at):
        """The page compares the unit itself: no worker has run since the import."""
        add_reading(at.db, "P4", at.world.now(), 20.0)
        assert (my_unit(at, "Cleo")["state"], my_unit(at, "Cleo")["checks"]) == ("fine", [])
        campaign = at.publish()
        add_units(at.db, ("P4", "L1", "2.4"))
        unit = my_unit(at, "Cleo")
        assert unit["state"] == "checking"
        assert unit["checks"] == [
            {
                "number": campaign["number"],
                "title": RECALL["title"]["en"],
                "contact": RECALL["contact"],
                "published_at": campaign["published_at"],
            }
        ]

    def test_nobody_is_told_and_the_frozen_audience_stays(self, at):
        campaign = at.publish()
        at.work()
        told, frozen = at.notices(), at.units(campaign)
        add_units(at.db, ("P4", "L1", "2.4"))
        at.work()
        assert (at.notices(), at.units(campaign)) == (told, frozen)

    def test_a_device_that_reports_an_older_firmware_joins_a_recall_by_firmware(self, at):
        campaign = at.publish(audience=FIRMWARE)
        at.work()
        at.report_firmware("P4", "2.2")
        at.work()
        assert joined_units(at, campaign) == [("P4", "firmware 2.2", True)]
        assert my_unit(at, "Cleo")["state"] == "checking"
        at.report_firmware("P4", "2.4")
        at.work()
        assert joined_units(at, campaign) == []
        assert [(told["units"], told["left"]) for told in at.events("campaign.joined")] == [(1, 0), (0, 1)]

    def test_an_import_that_is_one_event_is_compared_as_a_whole(self, at):
        campaign = at.publish()
        at.work()
        at.db.execute("UPDATE unit SET lot = 'L1' WHERE serial = 'P4'")
        append(at.db, "units.imported", {"created": 0, "changed": 1})
        at.work()
        assert joined(at, campaign) == (1, 1)
        at.db.execute("UPDATE unit SET lot = 'L2' WHERE serial = 'P4'")
        append(at.db, "units.imported", {"created": 0, "changed": 1})
        at.work()
        assert joined(at, campaign) == (0, 0)

    def test_an_import_that_commits_while_a_campaign_is_published_is_found(self, at):
        """Its event may be handled before anybody can see that the campaign is published."""
        draft = at.draft()
        pavel = Writer(person(at.db, "A product_manager"), "pavel")
        at.db.execute("UPDATE campaign SET authors = ARRAY[0::bigint]")
        with connect(at.database.url, "test") as other, other.transaction():
            publish.approve(other, pavel, draft["id"], 1, draft["version"], (), at.world.now())
            # No event: it stands for one that was handled already.
            at.db.execute("UPDATE unit SET lot = 'L1' WHERE serial = 'P4'")
        at.work()
        assert joined_units(at, draft) == [("P4", "lot L1", True)]

    def test_many_are_found_and_forgotten_in_turns(self, at, monkeypatch):
        monkeypatch.setattr(candidates, "TURN", 2)
        campaign = at.publish()
        at.work()
        at.db.execute("INSERT INTO unit (public_id, product_id, serial, printed, lot)"
                      " SELECT 'x' || n, product_id, 'X' || n, 'X' || n, 'L1' FROM unit, generate_series(1, 5) AS n"
                      " WHERE serial = 'P1'")  # fmt: skip
        append(at.db, "units.imported", {})
        at.work()
        assert [told["units"] for told in at.events("campaign.joined")] == [2, 2, 1]
        assert joined(at, campaign) == (5, 0)
        at.db.execute("UPDATE unit SET lot = 'L2' WHERE serial LIKE 'X%'")
        append(at.db, "units.imported", {})
        at.work()
        assert joined(at, campaign) == (0, 0)
        assert [told["left"] for told in at.events("campaign.joined")] == [0, 0, 0, 2, 2, 1]

    def test_one_unit_is_compared_as_all_are(self, at):
        """The frozen audience asks audience_unit; one unit is compared by a statement of its own."""
        audiences = [{"by": "lots", "lots": ["L1"]}, {"by": "serials", "serials": ["P-1"]}, FIRMWARE]
        campaigns = [at.publish(audience=audience) for audience in audiences]
        at.work()
        kinds = product(("L1", "L2", None), ("2.3", "2.4", "2.10", "odd", None))
        add_units(at.db, *((f"Q{n}", lot, firmware) for n, (lot, firmware) in enumerate(kinds)))
        at.work()
        one_by_one = [joined_units(at, campaign) for campaign in campaigns]
        at.db.execute("DELETE FROM campaign_candidate")
        append(at.db, "units.imported", {})
        at.work()
        assert [joined_units(at, campaign) for campaign in campaigns] == one_by_one
        assert list(map(len, one_by_one)) == [5, 0, 3]

    def test_staff_see_it_too(self, at):
        add_reading(at.db, "P4", at.world.now(), 20.0)
        at.publish()
        add_units(at.db, ("P4", "L1", "2.4"))
        at.work()
        states = {unit["serial"]: unit["state"] for unit in response_body(at.paula.get("/api/units"))["units"]}
        assert states == {"P1": "recalled", "P4": "checking"}


class TestWhatDoesNotJoin:
    def test_an_update_counts_its_units_and_worries_no_owner(self, at):
        campaign = at.publish(UPDATE)
        at.work()
        add_reading(at.db, "P4", at.world.now(), 20.0)
        at.report_firmware("P4", "2.2")
        at.work()
        assert joined(at, campaign) == (1, 1)
        assert (my_unit(at, "Cleo")["state"], my_unit(at, "Cleo")["checks"]) == ("fine", [])

    def test_a_draft_and_a_campaign_that_ended_gain_nothing(self, at):
        campaign = at.publish()
        add_units(at.db, ("P4", "L1", "2.4"))
        at.work()
        assert at.draft()["joined"] is None
        response_body(at.approve(at.draft(WITHDRAWAL, None, campaign["id"])))
        at.work()
        assert at.read(campaign)["joined"] is None
        assert joined_units(at, campaign) == []
        assert my_unit(at, "Cleo")["checks"] == []

    def test_whoever_supersedes_a_recall_tells_the_units_that_joined_it(self, at):
        campaign = at.publish()
        add_units(at.db, ("P4", "L1", "2.4"))
        at.work()
        successor = at.publish(RECALL, None, campaign["id"])
        at.work()
        assert joined(at, successor) == (0, 0)
        assert (my_unit(at, "Cleo")["state"], my_unit(at, "Cleo")["checks"]) == ("recalled", [])

    def test_another_person_sees_no_check(self, at):
        at.publish()
        add_units(at.db, ("P4", "L1", "2.4"))
        assert my_unit(at, "Ada")["checks"] == []

    def test_a_test_unit_of_the_maker_is_not_shown_as_being_checked(self, at):
        at.publish()
        add_units(at.db, ("P4", "L1", "2.4"))
        at.db.execute("UPDATE unit SET is_test = true WHERE serial = 'P4'")
        assert my_unit(at, "Cleo")["checks"] == []

    def test_only_staff_see_the_list(self, at):
        campaign = at.publish()
        cleo = at.world.as_("customer", "cleo@example.org")
        assert cleo.get(f"/api/campaigns/{campaign['id']}/joined").status_code == 403
