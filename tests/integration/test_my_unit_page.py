"""What an owner's page of a unit says beside readings: limits, past alarms, support, and that no recall concerns it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from gateway.api.owner.products import ALARMS_MAX
from gateway.registrations.model import UnitRow
from gateway.registrations.service import import_product
from gateway.rules.document import RuleDocument
from gateway.rules.repository import activate
from tests.dsl.campaigns import office, response_body
from tests.dsl.owners import unit_id
from tests.factories import HOT, product
from tests.factories.campaigns import UPDATE, add_owners, add_units
from tests.factories.imports import import_units

RULE = yaml.safe_load(HOT % {"for": "0s", "raised": "3s", "severity": "warning", "audience": "owner"})
LISTED = {"by": "serials", "serials": ["p-9"]}
BELOW = {"by": "firmware", "below": "2.4"}


@pytest.fixture
def at(url, db):
    """P1 is Ada's, of lot L1 with firmware 2.3; P4 is Cleo's, and of neither is anything known."""
    add_units(db, ("P1", "L1", "2.3"), ("P4", None, None), ("P9", "L9", "2.9"))
    add_owners(db, {"P1": "Ada", "P4": "Cleo"})
    with office(url, db) as opened:
        yield opened


def page(at, name):
    browser = at.world.as_("customer", f"{name.lower()}@example.org")
    (unit,) = response_body(browser.get("/api/my/units"))["units"]
    return response_body(browser.get(f"/api/my/units/{unit['id']}"))


def is_free(at, name):
    return page(at, name)["recall_free_at"] is not None


def put_in_force(db, rule_id, **changes):
    with db.transaction():
        activate(db, RuleDocument.model_validate(RULE | {"id": rule_id} | changes), actor="test")


def raise_alarms(db, rule_id, serial, *spans):
    """Insert alarms by (onset, cleared at)."""
    for onset, cleared in spans:
        db.execute(
            "INSERT INTO alarm (public_id, rule_version_id, unit_id, severity, onset, raised_at, judged_at, historic,"
            " evidence, cleared_at, clearing)"
            " SELECT %(id)s, v.id, %(unit)s, 'warning', %(onset)s, %(onset)s, %(onset)s, false,"
            " '{\"metric\": \"temp_c\", \"value\": 99}', %(cleared)s, '{}'"
            " FROM rule_version v WHERE v.rule_id = %(rule)s",
            {"id": f"{rule_id}-{onset.timestamp()}", "unit": unit_id(db, serial), "onset": onset, "cleared": cleared,
             "rule": rule_id},
        )  # fmt: skip


class TestNoRecall:
    def test_it_is_said_with_the_time_of_the_comparison_where_every_recall_can_be_compared(self, at):
        at.publish(audience={"by": "lots", "lots": ["L9"]})
        at.publish(audience=LISTED)
        at.work()
        checked = datetime.fromisoformat(page(at, "Ada")["recall_free_at"])
        assert abs(checked - datetime.now(UTC)) < timedelta(minutes=1)

    @pytest.mark.parametrize("audience", [{"by": "lots", "lots": ["L1"]}, BELOW, {"by": "serials", "serials": ["P1"]}])
    def test_it_is_not_said_of_a_unit_that_a_recall_names_before_and_after_its_owner_is_told(self, at, audience):
        assert is_free(at, "Ada")
        at.publish(audience=audience)
        assert not is_free(at, "Ada")
        at.work()
        assert not is_free(at, "Ada")

    @pytest.mark.parametrize("audience", [{"by": "lots", "lots": ["L9"]}, {"by": "firmware", "below": "3.0"}])
    def test_it_is_not_said_where_what_the_recall_asks_for_is_unknown(self, at, audience):
        assert is_free(at, "Cleo"), "without a recall there is nothing to compare"
        at.publish(audience=audience)
        at.work()
        assert not is_free(at, "Cleo")

    def test_by_a_list_of_serials_it_is_not_said_until_the_worker_has_compared_the_units(self, at):
        at.publish(audience=LISTED)
        assert not is_free(at, "Ada")
        at.work()
        assert is_free(at, "Ada")

    def test_it_is_not_said_of_a_unit_that_matches_a_recall_since(self, at):
        at.publish(audience={"by": "lots", "lots": ["L9"]})
        at.work()
        add_units(at.db, ("P1", "L9", "2.3"))
        assert not is_free(at, "Ada")

    def test_it_is_not_said_of_a_makers_test_unit(self, at):
        with at.db.transaction():
            import_units(at.db, {2: UnitRow(product="pump", serial="P1", test="yes")}, actor="test")
        assert not is_free(at, "Ada")

    def test_an_update_is_no_recall(self, at):
        at.publish(UPDATE)
        at.work()
        assert is_free(at, "Ada")


class TestSupport:
    def test_the_units_own_date_stands_before_that_of_its_product(self, at):
        assert page(at, "Ada")["support_until"] is None
        with at.db.transaction():
            import_product(at.db, product(support_until=date(2035, 12, 31)), actor="test")
            import_units(
                at.db, {2: UnitRow(product="pump", serial="P4", support_until=date(2031, 1, 31))}, actor="test"
            )
        assert (page(at, "Ada")["support_until"], page(at, "Cleo")["support_until"]) == ("2035-12-31", "2031-01-31")


class TestLimitsAndAlarms:
    def test_the_limits_are_those_of_the_rules_in_force_that_tell_owners(self, at):
        band = {"kind": "threshold", "metric": "temp_c", "unit": "°C"}
        put_in_force(at.db, "was-other", condition=band | {"above": 70})
        put_in_force(at.db, "was-other", condition=band | {"above": 90, "below": 5}, severity="critical")
        put_in_force(at.db, "for-support", condition=band | {"above": 60}, audience=["support"])
        assert page(at, "Ada")["limits"] == [
            {"metric": "temp_c", "value": 5, "side": "below", "severity": "critical"},
            {"metric": "temp_c", "value": 90, "side": "above", "severity": "critical"},
        ]

    def test_the_alarms_are_those_of_the_owners_time_that_rules_for_owners_raised(self, at):
        """Ada has the unit since a day; somebody else's alarm of last week is theirs, and support's is support's."""
        now = at.world.now()
        at.db.execute(
            "UPDATE ownership SET during = tstzrange(%s, NULL) WHERE unit_id = %s",
            [now - timedelta(days=1), unit_id(at.db, "P1")],
        )
        put_in_force(at.db, "hot")
        put_in_force(at.db, "wear", audience=["support"])
        hours = [now - timedelta(hours=count) for count in range(200)]
        raise_alarms(at.db, "hot", "P1", (hours[190], hours[189]), (hours[9], hours[8]), (hours[2], None))
        raise_alarms(at.db, "wear", "P1", (hours[5], hours[4]))
        raise_alarms(at.db, "hot", "P4", (hours[7], hours[6]))
        told = [
            (
                datetime.fromisoformat(alarm["onset"]),
                alarm["cleared_at"] and datetime.fromisoformat(alarm["cleared_at"]),
            )
            for alarm in page(at, "Ada")["history"]
        ]
        assert told == [(hours[2], None), (hours[9], hours[8])]
        assert {alarm["metric"] for alarm in page(at, "Ada")["history"]} == {"temp_c"}

    def test_of_very_many_alarms_the_newest_are_shown(self, at):
        put_in_force(at.db, "hot")
        start = at.world.now() - timedelta(days=2)
        times = [start + timedelta(minutes=count) for count in range(ALARMS_MAX + 5)]
        raise_alarms(at.db, "hot", "P1", *((each, each + timedelta(seconds=9)) for each in times))
        onsets = [datetime.fromisoformat(alarm["onset"]) for alarm in page(at, "Ada")["history"]]
        assert onsets == times[:4:-1]
