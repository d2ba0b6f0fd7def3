"""The staff's record of a unit: what stands in it is what single queries say, and each look is noted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.registrations.firmware import Report, take_firmware
from gateway.registrations.model import UnitRow
from tests.dsl.campaigns import Office, office, response_body
from tests.factories.campaigns import UPDATE, add_owners, add_units, column_values, confirm
from tests.factories.imports import import_units

HOUR = timedelta(hours=1)


@pytest.fixture
def at(url, db):
    """Four pumps: P1 and P2 of lot L1 are recalled; Ada owns P1, Bob P3."""
    add_units(db, ("P1", "L1", "2.3"), ("P2", "L1", "2.3"), ("P3", "L2", "2.3"), ("P4", "L1", None))
    add_owners(db, {"P1": "Ada", "P3": "Bob"})
    confirm(db, "Ada", "Bob")
    with office(url, db) as made:
        yield made


def unit_id(at: Office, serial: str) -> str:
    return column_values(at.db, "SELECT public_id FROM unit WHERE serial = %s", [serial])[0]


def record(at: Office, serial: str, browser: Any = None) -> dict[str, Any]:
    return response_body((browser or at.paula).get(f"/api/units/{unit_id(at, serial)}"))


def test_a_recall_stands_in_the_record_with_what_its_owner_was_told_and_did(at):
    recall = at.publish()
    at.work()
    (told,) = record(at, "P1")["campaigns"]
    assert (told["id"], told["standing"], told["matched"]) == (recall["id"], "affected", "lot L1")
    assert told["action"] == "Unplug it now."
    assert told["told_at"]
    assert (told["seen_at"], told["acknowledged_at"]) == (None, None)
    at.db.execute("UPDATE notice SET read_at = now(), acknowledged_at = now()")
    (seen,) = record(at, "P1")["campaigns"]
    assert None not in (seen["told_at"], seen["seen_at"], seen["acknowledged_at"])
    assert record(at, "P1")["unit"]["state"] == "recalled"


def test_a_unit_without_an_owner_is_recalled_and_told_to_nobody(at):
    at.publish()
    at.work()
    found = record(at, "P2")
    assert [(each["standing"], each["told_at"]) for each in found["campaigns"]] == [("affected", None)]
    assert (found["owners"], found["notices"]) == ([], [])


def test_a_live_recall_that_does_not_concern_the_unit_says_so(at):
    recall = at.publish()
    at.work()
    assert [(each["id"], each["standing"]) for each in record(at, "P3")["campaigns"]] == [(recall["id"], "none")]
    assert record(at, "P3")["unit"]["state"] == "unknown", "nothing was heard of it"


def test_a_unit_that_came_to_match_is_being_checked(at):
    at.publish()
    with at.db.transaction():
        import_units(at.db, {2: UnitRow(product="pump", serial="P3", lot="L1")}, actor="test")
    at.work()
    found = record(at, "P3")
    assert [each["standing"] for each in found["campaigns"]] == ["checking"]
    assert found["unit"]["state"] == "checking"


def test_notices_stand_with_every_delivery_and_where_they_were_opened(at):
    at.publish()
    at.work()
    at.db.execute("UPDATE outbox SET status = 'delivered', finished_at = now() WHERE channel = 'email'")
    at.db.execute(
        "INSERT INTO engagement (person_id, notice_id, channel, kind, at)"
        " SELECT person_id, id, 'email', 'opened', now() FROM notice"
    )
    (notice,) = record(at, "P1")["notices"]
    stored = at.db.execute("SELECT n.public_id, p.name FROM notice n JOIN person p ON p.id = n.person_id").fetchone()
    assert (notice["id"], notice["person"], notice["kind"]) == (stored["public_id"], stored["name"], "recall")
    assert notice["title"] == "The pump may catch fire"
    outbox = column_values(at.db, "SELECT channel, status FROM outbox ORDER BY channel")
    assert sorted((each["channel"], each["status"]) for each in notice["deliveries"]) == outbox
    assert [each["channel"] for each in notice["opened"]] == ["email"]


def test_who_owned_the_unit_stands_with_the_present_owners_contact(at):
    now = datetime.now(UTC)
    at.db.execute("UPDATE person SET phone = '0800 1', customer_number = 'K-1', language = 'de' WHERE name = 'Ada'")
    at.db.execute("UPDATE ownership SET during = tstzrange(lower(during), %s) WHERE unit_id = 3", [now - HOUR])
    add_owners(at.db, {"P3": "Ada"}, since=now - HOUR / 2)
    present, former = record(at, "P3")["owners"]
    assert (present["name"], present["phone"], present["customer_number"], present["language"]) == (
        "Ada",
        "0800 1",
        "K-1",
        "de",
    )
    assert (present["is_present"], present["until"]) == (True, None)
    assert (former["name"], former["is_present"]) == ("Bob", False)


def test_firmware_that_a_file_or_the_unit_itself_changes_is_kept_and_the_last_twenty_changes_only(at):
    with at.db.transaction():
        import_units(at.db, {2: UnitRow(product="pump", serial="P1", firmware="2.4")}, actor="test")
    now = datetime.now(UTC)
    for number in range(5, 10):
        take_firmware(at.db, {1: Report(f"2.{number}", now + number * HOUR, replayed=False)})
        take_firmware(at.db, {1: Report(f"2.{number}", now + number * HOUR, replayed=False)})  # nothing new
    changes = record(at, "P1")["firmware_changes"]
    assert [(each["before"], each["firmware"], each["reported"]) for each in changes] == [
        *((f"2.{number - 1}", f"2.{number}", True) for number in range(9, 4, -1)),
        ("2.3", "2.4", False),
    ]
    for number in range(10, 40):
        take_firmware(at.db, {1: Report(f"2.{number}", now + number * HOUR, replayed=False)})
    changes = record(at, "P1")["firmware_changes"]
    assert [each["firmware"] for each in changes] == [f"2.{number}" for number in range(39, 19, -1)]
    assert record(at, "P2")["firmware_changes"] == []


def test_an_update_is_closed_once_the_unit_has_the_version(at):
    at.publish(UPDATE)
    at.work()
    at.report_firmware("P1", "2.4")
    at.work()
    (update,) = record(at, "P1")["campaigns"]
    assert (update["kind"], update["standing"]) == ("update", "affected")
    assert update["closed_at"]


def test_the_record_speaks_the_language_of_who_looks(at):
    at.publish()
    at.db.execute("UPDATE person SET language = 'de' WHERE email = 'paula@maker.example'")
    assert record(at, "P1")["campaigns"][0]["title"] == "Die Pumpe kann Feuer fangen"


def test_a_look_is_noted_with_who_looked_and_none_for_what_is_not_there(at):
    support = at.world.as_("support", "sam@maker.example")
    record(at, "P1", support)
    assert support.get("/api/units/none").status_code == 404
    looks = column_values(
        at.db,
        "SELECT u.serial, p.email FROM staff_look l JOIN unit u ON u.id = l.unit_id"
        " JOIN account a ON a.id = l.account_id JOIN person p ON p.id = a.person_id",
    )
    assert looks == [("P1", "sam@maker.example")]


def test_a_chart_shows_any_time_between_two_moments(at):
    path = f"/api/units/{unit_id(at, 'P1')}/readings?metric=temp_c"
    span = "&since=2026-01-01T00:00:00Z&until=2026-01-08T00:00:00Z"
    assert response_body(at.paula.get(path + span))["points"] == []
    for wrong in ("&since=2026-01-08T00:00:00Z&until=2026-01-01T00:00:00Z", "&since=2010-01-01T00:00:00Z"):
        assert at.paula.get(path + wrong).status_code == 422
