"""The role that serves owners: it reads the my_* views alone; they hold what is theirs, while it was."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.errors import InsufficientPrivilege

from gateway.store import Database
from gateway.store.owner import act_as_owner
from tests.dsl.owners import (
    add_alarm,
    add_message,
    add_notice,
    add_reading,
    import_owner,
    make_person,
    make_units,
    try_claim,
)

NOW = datetime.now(UTC)
VIEWS = (
    "my_unit",
    "my_notice_row",
    "my_latest",
    "my_metric",
    "my_reading",
    "my_alarm",
    "my_message",
    "my_notice",
    "my_delivery",
    "my_check",
    "my_rule",
    "my_unit_facts",
    "my_rollup_hour",
    "my_rollup_day",
    "my_rolled",
)


def ago(**span):
    return NOW - timedelta(**span)


def see(db, person_id, view, what="*"):
    """What a person sees of a view."""
    with db.transaction():
        act_as_owner(db, person_id)
        return db.execute(f"SELECT {what} FROM {view}").fetchall()


def view_column(db, person_id, view, name):
    return sorted(row[name] for row in see(db, person_id, view, name))


@pytest.fixture
def people(db):
    """P1 was Bob's until an hour ago and is Ada's; P2 is Bob's; P3 is nobody's. All of them report."""
    make_units(db, "P1", "P2", "P3")
    ada, bob = make_person(db, "Ada").person_id, make_person(db, "Bob").person_id
    import_owner(db, "P1", ago(days=9), name="Bob")
    import_owner(db, "P1", ago(hours=1), name="Ada")
    import_owner(db, "P2", ago(days=9), name="Bob")
    for serial in ("P1", "P2", "P3"):
        for minutes, value in ((120, 20.0), (30, 21.0)):
            add_reading(db, serial, ago(minutes=minutes), value)
            add_message(db, serial, ago(minutes=minutes), str(value).encode())
            add_alarm(db, serial, ago(minutes=minutes), ago(minutes=minutes - 1))
    for person, serial, minutes in ((bob, "P1", 120), (ada, "P1", 30), (bob, "P2", 30)):
        add_notice(db, serial, person, ago(minutes=minutes))
    return ada, bob


class TestTheRole:
    def test_every_base_table_is_refused(self, db, people):
        tables = [
            row["name"]
            for row in db.execute("SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relkind IN ('r', 'p')"
                                  " AND c.relnamespace = 'public'::regnamespace")
        ]  # fmt: skip
        assert {"person", "unit", "telemetry", "notice", "account", "session", "claim_code", "event"} <= set(tables)
        for table in tables:
            for statement in (
                f"SELECT FROM {table}",
                f"INSERT INTO {table} DEFAULT VALUES",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
            ):
                with db.transaction(force_rollback=True):
                    act_as_owner(db, people[0])
                    with pytest.raises(InsufficientPrivilege):
                        db.execute(statement)

    def test_it_may_only_read_and_only_its_views(self, db, people):
        """Whatever is made later is refused until somebody grants it."""
        rows = db.execute(
            "SELECT c.relname AS name, p.privilege_type AS may FROM pg_class c, aclexplode(c.relacl) p"
            " WHERE p.grantee IN (0, 'gateway_owner'::regrole) AND c.relnamespace = 'public'::regnamespace"
        ).fetchall()
        assert {(row["name"], row["may"]) for row in rows} == {(view, "SELECT") for view in VIEWS}

    def test_every_view_is_a_security_barrier(self, db):
        """Else a cheap function in a query could see rows before they are filtered. `my_tenure` is only in others."""
        rows = db.execute(
            "SELECT relname AS name, reloptions AS options FROM pg_class"
            " WHERE relkind = 'v' AND starts_with(relname, 'my_')"
        ).fetchall()
        assert {row["name"] for row in rows} == {*VIEWS, "my_tenure"}
        barriers = {row["name"] for row in rows if row["options"] == ["security_barrier=true"]}
        assert barriers == set(VIEWS)

    def test_without_a_person_there_is_nothing(self, db, people):
        for person in ("", "0", "999"):
            for view in VIEWS:
                with db.transaction():
                    act_as_owner(db, person)
                    assert db.execute(f"SELECT * FROM {view}").fetchall() == []

    def test_it_ends_with_its_transaction_also_when_that_fails(self, url, db, people):
        """The connection goes back to the pool, and the next request must not be anybody."""
        with Database(url, "test", max_size=1) as database:
            for fails in (False, True):
                with suppress(ZeroDivisionError), database.transaction() as tx:
                    act_as_owner(tx, people[0])
                    if fails:
                        1 / 0  # noqa: B018 - the failure is the point
                with database.read() as connection:
                    row = connection.execute(
                        "SELECT current_user AS name, current_setting('gateway.person_id', true) AS person"
                    ).fetchone()
                    assert row["name"] != "gateway_owner"
                    assert row["person"] in {None, ""}


class TestTheFence:
    def test_each_sees_the_units_that_are_his_now(self, db, people):
        ada, bob = people
        assert view_column(db, ada, "my_unit", "serial") == ["P1"]
        assert view_column(db, bob, "my_unit", "serial") == ["P2"]
        assert {row["unit"] for row in see(db, ada, "my_latest")} == set(view_column(db, ada, "my_unit", "id"))

    def test_readings_messages_and_alarms_are_those_of_the_time_it_was_his(self, db, people):
        ada, bob = people
        assert view_column(db, ada, "my_reading", "value") == [21.0]
        assert view_column(db, bob, "my_reading", "value") == [20.0, 20.0, 21.0]
        assert [bytes(row["payload"]) for row in see(db, ada, "my_message", "payload")] == [b"21.0"]
        assert len(see(db, bob, "my_message")) == 3
        assert view_column(db, ada, "my_alarm", "raised_at") == [ago(minutes=30)]
        assert view_column(db, bob, "my_alarm", "raised_at") == [
            ago(minutes=120),
            ago(minutes=120),
            ago(minutes=30),
        ]

    def test_notices_and_deliveries_are_the_persons(self, db, people):
        ada, bob = people
        assert (len(see(db, ada, "my_notice")), len(see(db, ada, "my_delivery"))) == (1, 1)
        assert (len(see(db, bob, "my_notice")), len(see(db, bob, "my_delivery"))) == (2, 2)

    def test_a_new_owner_begins_with_nothing_known(self, db, people):
        cleo = make_person(db, "Cleo")
        try_claim(db, cleo, "P3")
        (unit,) = see(db, cleo.person_id, "my_unit")
        assert unit["last_seen"] is None
        assert {row["value"] for row in see(db, cleo.person_id, "my_latest")} == {None}
        for view in ("my_reading", "my_message", "my_alarm", "my_notice"):
            assert see(db, cleo.person_id, view) == []

    def test_what_a_device_had_measured_or_sent_before_stays_hidden_when_it_comes_late(self, db, people):
        ada, _ = people
        add_reading(db, "P1", ago(minutes=90), 33.0, received=ago(minutes=10))
        add_reading(db, "P1", ago(minutes=55), 34.0, received=ago(minutes=65))  # its clock was ahead
        assert view_column(db, ada, "my_reading", "value") == [21.0]

    def test_an_alarm_that_is_active_passes_on_without_its_history(self, db, people):
        """The pump is too hot now, whoever owns it; since when, and how hot, was the other owner's."""
        ada, bob = people
        alarm = add_alarm(db, "P1", ago(minutes=100))
        (seen,) = [row for row in see(db, ada, "my_alarm") if row["id"] == alarm]
        assert (seen["cleared_at"], seen["evidence"]) == (None, None)
        assert seen["onset"] == seen["raised_at"] == ago(hours=1)
        (before,) = [row for row in see(db, bob, "my_alarm") if row["id"] == alarm]
        assert (before["cleared_at"], before["clearing"]) == (ago(hours=1), None)
        db.execute("UPDATE alarm SET cleared_at = %s WHERE public_id = %s", [NOW, alarm])
        assert alarm not in view_column(db, ada, "my_alarm", "id")

    def test_a_notice_of_a_unit_given_up_does_not_tell_how_it_went_on(self, db, people):
        _, bob = people
        notice = add_notice(
            db, "P1", bob, ago(minutes=100), state="resolved", updated_at=ago(minutes=5), resolved_at=ago(minutes=5),
            why={"cleared_at": ago(minutes=5).isoformat(), "cleared_value": 61.0, "extreme": 120.0},
        )  # fmt: skip
        (seen,) = [row for row in see(db, bob, "my_notice") if row["id"] == notice]
        assert (seen["state"], seen["resolved_at"], seen["updated_at"]) == (
            "resolved",
            ago(hours=1),
            ago(hours=1),
        )
        assert (seen["why"]["cleared_at"], seen["why"]["cleared_value"], seen["why"]["extreme"]) == (None, None, 97.0)
        assert seen["why"]["cleared_reason"] == "the unit is no longer yours"

    def test_a_notice_that_ended_before_the_unit_was_given_up_stays_as_it_was(self, db, people):
        _, bob = people
        notice = add_notice(
            db, "P1", bob, ago(minutes=110), state="resolved", updated_at=ago(minutes=90), resolved_at=ago(minutes=90),
            why={"cleared_value": 61.0},
        )  # fmt: skip
        (seen,) = [row for row in see(db, bob, "my_notice") if row["id"] == notice]
        assert (seen["resolved_at"], seen["why"]["cleared_value"]) == (ago(minutes=90), 61.0)

    def test_who_owns_it_again_sees_both_of_his_times(self, db, people):
        _, bob = people
        import_owner(db, "P1", ago(minutes=10), name="Bob")
        add_reading(db, "P1", ago(minutes=5), 22.0)
        values = [row["value"] for row in see(db, bob, "my_reading") if row["unit"] == p1(db)]
        assert sorted(values) == [20.0, 22.0]


def p1(db):
    return db.execute("SELECT public_id FROM unit WHERE serial = 'P1'").fetchone()["public_id"]


class TestCampaignNotices:
    """Through the same fence as every notice: nobody else's, and nothing of what came after their time."""

    @pytest.fixture
    def recalled(self, db, people):
        """A recall was told to Ada of P1; to Bob of P1 in his time, and of P2."""
        ada, bob = people
        (campaign,) = (
            db.execute(
                "INSERT INTO campaign (public_id, number, kind, state, product_id, content, audience, authors,"
                " created_at, edited_by, edited_at, approved_by, published_at, units)"
                " SELECT 'c', 'R-2026-01', 'recall', 'published', min(product_id), '{}', '{}', ARRAY[%(ada)s::bigint],"
                " now(), %(ada)s, now(), %(bob)s, now(), 2 FROM unit RETURNING id",
                {"ada": ada, "bob": bob},
            )
            .fetchone()
            .values()
        )
        for who, serial, at, since in ((ada, "P1", ago(minutes=20), ago(hours=1)),
                                       (bob, "P1", ago(minutes=110), ago(days=9)),
                                       (bob, "P2", ago(minutes=20), ago(days=9))):  # fmt: skip
            db.execute(
                "UPDATE notice SET campaign_id = %s, rule_id = NULL, kind = 'recall', owned_since = %s, severity ="
                ' \'safety\', why = \'{"number": "R-2026-01", "replaced_by": null}\' WHERE public_id = %s',
                [campaign, since, add_notice(db, serial, who, at)],
            )
        return people

    def recalls(self, db, who):
        return [row for row in see(db, who, "my_notice") if row["kind"] == "recall"]

    def test_each_sees_his_own(self, db, recalled):
        ada, bob = recalled
        assert [row["serial"] for row in self.recalls(db, ada)] == ["P1"]
        assert sorted((row["serial"], row["state"]) for row in self.recalls(db, bob)) == [
            ("P1", "resolved"), ("P2", "open"),
        ]  # fmt: skip
        cleo = make_person(db, "Cleo").person_id
        assert self.recalls(db, cleo) == []

    def test_what_became_of_it_after_his_time_stays_out(self, db, recalled):
        ada, bob = recalled
        db.execute(
            "UPDATE notice SET state = 'withdrawn', resolved_at = now(), updated_at = now(),"
            " why = why || '{\"replaced_by\": \"W-2026-01\"}' WHERE kind = 'recall'"
        )
        (mine,) = self.recalls(db, ada)
        assert (mine["state"], mine["why"]["replaced_by"]) == ("withdrawn", "W-2026-01")
        (before,) = [row for row in self.recalls(db, bob) if row["serial"] == "P1"]
        assert (before["state"], before["why"]["replaced_by"]) == ("resolved", None)
        assert (before["resolved_at"], before["updated_at"]) == (ago(hours=1), ago(hours=1))
