"""A product that cannot be judged is set aside, alone; what waited is judged when it goes on."""

import time

import pytest

from gateway.catalog.repository import suspensions
from gateway.core.clock import system_clock
from gateway.core.errors import BadInput
from gateway.imports.service import resume_products, retire_rules
from gateway.roles.check import products as check_products
from tests.dsl.catalog import PRESS, RULE, RuleFault, alarms, stored
from tests.dsl.stepped import SteppedIngest
from tests.factories import PUMP


@pytest.fixture
def fault(monkeypatch) -> RuleFault:
    return RuleFault(monkeypatch)


@pytest.mark.parametrize("how", ["while it runs", "in the replay", "at a change"])
def test_one_products_trouble_is_only_its_own_and_what_waited_is_judged_when_it_ends(maker, db, ingest, fault, how):
    """Stored and acknowledged meanwhile, over two kills; then judged in their order, the old ones as historic."""
    at = time.time() - 7_300  # older than an hour is historic
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    ingest.send("pump", "2", (at, {"temp_c": 20}))
    if how == "at a change":
        fault.in_compiling("pump")
        maker.products(PUMP | {"brand": "Other"})
        ingest.look()
    elif how == "in the replay":
        fault.in_judging(95.0)
        ingest.restart()
    fault.in_judging(99.0)
    ingest.send("pump", "2", (at + 5, {"temp_c": 99}))
    ingest.send("fan", "1", (at + 5, {"temp_c": 96}))
    (suspension,) = suspensions(db)
    assert (suspension.product, suspension.reason) == ("pump", "KeyError: 'a fault of the test'")
    ingest.restart()
    ingest.send("pump", "2", (at + 4, {"temp_c": 98}))
    ingest.send("pump", "2", (at + 6, {"temp_c": 80}), (at + 7, {"temp_c": 97}))
    ingest.save()
    ingest.restart()
    ingest.send("pump", "2", (time.time(), {"temp_c": 98}))
    ingest.look()
    assert [rule for rule, *_ in alarms(db)] == ["pump-hot", "fan-hot"], "the other product is judged"
    assert len(stored(db)) == 7
    latest = db.execute("SELECT max(value) AS value FROM latest").fetchone()
    assert latest["value"] == 98.0, "its page goes on"

    fault.on = False
    maker.products(PUMP | {"brand": "Third"})
    for _ in range(3):
        ingest.look()
    assert ingest.suspended == set()
    assert suspensions(db) == []
    assert db.execute("SELECT count(*) AS n FROM unjudged_batch").fetchone()["n"] == 0
    found = [(rule, round(onset - at), active, historic) for rule, onset, active, historic in alarms(db)]
    assert found == [
        ("pump-hot", 0, True, True),
        ("fan-hot", 5, True, True),
        ("pump-hot", 5, False, True),
        ("pump-hot", 7, True, True),
    ], "98 at second 4 came late and raised nothing"
    kinds = db.execute("SELECT kind FROM event WHERE kind IN ('product.suspended', 'product.resumed') ORDER BY id")
    assert [row["kind"] for row in kinds] == ["product.suspended", "product.resumed"]
    for serial in ("1", "2"):
        ingest.send("pump", serial, (time.time() + 1, {"temp_c": 20}))
    active = [rule for rule, _, active, _ in alarms(db) if active]
    assert active == ["fan-hot"], "what its rules knew before and during the trouble is known after it"


def test_a_product_that_is_mended_without_a_restart_goes_on_from_where_it_was(maker, db, ingest, fault):
    at = time.time() - 50
    ingest.send("pump", "1", (at - 1, {"temp_c": 95}))
    fault.in_judging(99.0)
    ingest.send("pump", "2", (at, {"temp_c": 99}))
    fault.on = False
    maker.products(PUMP | {"brand": "Other"})
    ingest.look()
    ingest.send("pump", "1", (at + 1, {"temp_c": 20}))
    assert [active for _, _, active, _ in alarms(db)] == [False, True]


def test_a_product_that_was_suspended_resumes_at_a_start_where_it_can_be_judged(maker, db, ingest, fault):
    fault.in_judging(99.0)
    at = time.time() - 5
    ingest.send("pump", "1", (at, {"temp_c": 99}))
    assert alarms(db) == []
    fault.on = False
    ingest.look()
    assert len(ingest.suspended) == 1, "nothing says that it would go better now"
    ingest.restart()
    ingest.look()
    assert ingest.suspended == set()
    assert alarms(db) == [("pump-hot", pytest.approx(at, abs=0.001), True, False)]


def test_what_waited_is_judged_in_steps_and_a_kill_between_them_loses_and_doubles_nothing(
    maker, db, ingest, fault, monkeypatch
):
    monkeypatch.setattr("gateway.ingest.restore.BATCHES_A_STEP", 3)
    fault.in_judging(99.0)
    at = time.time() - 100
    for nth in range(7):
        ingest.send("pump", "1", (at + nth, {"temp_c": 99 if nth % 2 == 0 else 20}))
    fault.on = False
    ingest.restart()
    ingest.look()
    assert db.execute("SELECT count(*) AS n FROM unjudged_batch").fetchone()["n"] == 4, "three of seven are judged"
    ingest.restart()
    ingest.send("pump", "1", (at + 7, {"temp_c": 20}))
    for _ in range(6):
        ingest.look()
    assert ingest.suspended == set()
    assert [(round(onset - at), active) for _, onset, active, _ in alarms(db)] == [
        (0, False),
        (2, False),
        (4, False),
        (6, False),
    ]


def test_a_rule_that_this_version_cannot_read_suspends_its_product_alone(maker, db, url):
    db.execute("UPDATE rule_version SET document = document - 'condition' WHERE rule_id = 'pump-hot'")
    stepped = SteppedIngest(url)
    stepped.send("pump", "1", (time.time() - 2, {"temp_c": 95}))
    stepped.send("fan", "1", (time.time() - 1, {"temp_c": 95}))
    assert [rule for rule, *_ in alarms(db)] == ["fan-hot"]
    with pytest.raises(BadInput, match="pump-hot: its document cannot be read"):
        maker.products(PUMP | {"brand": "Other"})
    retire_rules(url, ["pump-hot"], actor="test")
    stepped.look()
    stepped.look()
    assert stepped.suspended == set()
    stepped.kill()


def test_a_suspended_product_is_shown_to_operators_and_staff(maker, db, ingest, fault, world):
    fault.in_judging(99.0)
    ingest.send("pump", "1", (time.time() - 5, {"temp_c": 99}))
    assert world.as_("support").get("/api/units").json()["suspended"][0]["reason"].startswith("KeyError")
    assert world.browser().get("/readyz").json()["suspended"] == ["pump"]
    finding = check_products(suspensions(db))
    assert (finding.state, "pump is suspended since" in finding.measured) == ("problem", True)
    assert check_products([]).state == "ok"


def test_what_waits_goes_with_the_readings_it_is_of(maker, db, ingest, fault):
    """So it is bounded as they are."""
    fault.in_judging(99.0)
    ingest.send("pump", "1", (time.time() - 5, {"temp_c": 99}))
    db.execute("UPDATE unjudged_batch SET at = now() - interval '500 days'")
    ingest.send("pump", "1", (time.time() - 4, {"temp_c": 99}))
    ingest.save()
    assert db.execute("SELECT count(*) AS n FROM unjudged_batch").fetchone()["n"] == 1


def test_a_product_whose_waiting_alarms_the_database_refuses_stays_suspended_and_stops_nobody(maker, db, ingest, fault):
    fault.in_judging(99.0)
    ingest.send("pump", "1", (time.time() - 5, {"temp_c": 99}))
    fault.on = False
    db.execute("ALTER TABLE alarm ADD CONSTRAINT refused CHECK (unit_id <> 1)")
    ingest.restart()
    ingest.look()
    (suspension,) = suspensions(db)
    assert suspension.reason.startswith("CheckViolation")
    ingest.send("fan", "1", (time.time() - 4, {"temp_c": 95}))
    db.execute("ALTER TABLE alarm DROP CONSTRAINT refused")
    ingest.restart()
    ingest.look()
    assert {rule for rule, *_ in alarms(db)} == {"pump-hot", "fan-hot"}


def test_a_state_that_cannot_be_read_is_forgotten_by_command_and_its_alarms_are_cleared(maker, db, url, ingest):
    at = time.time() - 50
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    ingest.send("fan", "1", (at, {"temp_c": 95}))
    ingest.save()
    db.execute(
        "UPDATE rule_snapshot SET state = 'broken' WHERE product_id = (SELECT id FROM product WHERE code = 'pump')"
    )
    ingest.restart()
    ingest.send("pump", "1", (at + 1, {"temp_c": 96}))
    again = {"actor": "test", "clock": system_clock}
    with pytest.raises(BadInput, match="fan is not suspended; suspended: pump"):
        resume_products(url, ["fan"], forget_state=False, **again)
    resume_products(url, ["pump"], forget_state=False, **again)
    ingest.look()
    assert len(ingest.suspended) == 1
    resume_products(url, ["pump"], forget_state=True, **again)
    ingest.look()
    assert ingest.suspended == set()
    assert [(rule, round(onset - at), active) for rule, onset, active, _ in alarms(db)] == [
        ("fan-hot", 0, True),
        ("pump-hot", 0, False),
        ("pump-hot", 1, True),
    ]


def test_a_rule_that_came_back_while_its_product_was_suspended_begins_anew(maker, db, url, ingest, fault):
    """Its alarm was cleared when it went; what the saved state knew of it must not keep a new one from being raised."""
    maker.rules(PRESS)
    at = time.time() - 50
    ingest.look()
    ingest.send("pump", "1", (at, {"temp_c": 95}))
    fault.in_judging(99.0)
    ingest.send("pump", "2", (at, {"temp_c": 99}))
    retire_rules(url, ["pump-hot"], actor="test")
    ingest.look()
    assert len(ingest.suspended) == 1
    ingest.send("pump", "1", (at + 1, {"temp_c": 96}))
    fault.on = False
    maker.rules(RULE)
    ingest.look()
    assert ingest.suspended == set()
    found = [(round(onset - at), active) for _, onset, active, _ in alarms(db)]
    assert found == [(0, False), (0, True), (1, True)]
