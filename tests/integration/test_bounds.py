"""Every table has a bound, and what has a retention is really forgotten: in turns, and nothing that is still needed."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gateway.config import Settings
from gateway.contract.bounds import BOUNDS
from gateway.core.clock import system_clock
from gateway.notify import addresses
from gateway.roles import maintenance as retention
from gateway.roles.worker import Worker
from gateway.store import Connection
from tests.dsl.campaigns import office
from tests.dsl.story import MINUTE, SECOND
from tests.dsl.wait import until
from tests.factories.campaigns import add_owners, add_units, column_values, person

pytestmark = pytest.mark.both

DAY = timedelta(days=1)
SETTINGS = Settings()

TABLES = """
SELECT c.relname AS name FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
"""


def test_every_table_has_a_bound_and_every_bound_a_table(db):
    """A table that is missing here: add to gateway/contract/bounds.py what limits its rows, and who deletes them."""
    assert {row["name"] for row in db.execute(TABLES)} == set(BOUNDS)


def test_every_table_with_a_sweep_says_so():
    for sweep in retention.sweeps(SETTINGS, datetime.now(UTC)):
        assert BOUNDS[sweep.table].kept != "for ever", sweep.table


def forgotten_rows(db: Connection, now: datetime, **settings) -> dict[str, int]:
    """As maintenance does; returns what was forgotten, but for the jobs by which the story's units came."""
    found = retention.forget_old(db, Settings(**settings), now)
    return {table: rows for table, rows in found.items() if rows and table != "job"}


def count(db, table):
    return column_values(db, f"SELECT count(*) FROM {table}")[0]


@pytest.fixture
def alarm_story(story):
    """An alarm that was told and is over, with all that was written about it; another one that is active still."""
    onset = story.raise_("P1", "P2")
    story.work()
    ada = person(story.db, "Ada")
    story.db.execute(
        "INSERT INTO outbox (notice_id, channel, due_at, status, reason, finished_at)"
        " SELECT id, 'push', %(now)s, 'delivered', 'r', %(now)s FROM notice",
        {"now": story.now},
    )
    ((notice, delivery),) = column_values(
        story.db,
        "SELECT n.id AS notice, o.id AS delivery FROM notice n JOIN outbox o ON o.notice_id = n.id"
        " JOIN unit u ON u.id = n.unit_id WHERE u.serial = 'P1'",
    )
    addresses.register_phone(story.db, ada, "token", "t", "android", story.now, tokens_max=20)
    story.db.execute("DELETE FROM engagement")
    addresses.note(story.db, ada, "push", "opened", story.now, notice)
    story.db.execute(
        "INSERT INTO delivery_try (outbox_id, push_token_id, attempt, at, outcome, reason)"
        " SELECT %s, id, 1, %s, 'delivered', 'r' FROM push_token",
        [delivery, story.now],
    )
    story.later(MINUTE)
    story.clear("P1", onset)
    story.work()
    return story


class TestNotices:
    def test_an_alarm_that_is_over_is_forgotten_with_all_that_was_written_about_it(self, alarm_story):
        after = alarm_story.now + SETTINGS.notice_history
        assert (
            forgotten_rows(alarm_story.db, after - MINUTE, delivery_history="9999d", engagement_history="9999d") == {}
        )
        assert forgotten_rows(alarm_story.db, after + SECOND) == {
            "delivery_try": 1, "engagement": 1, "notice": 1, "alarm": 1,
        }  # fmt: skip
        assert alarm_story.column("SELECT state FROM notice") == ["open"]
        for table in ("alarm", "notice_alarm", "outbox", "ledger"):
            assert count(alarm_story.db, table) == 1, table

    def test_its_tries_and_opens_go_with_it_where_they_are_kept_longer(self, alarm_story):
        after = alarm_story.now + SETTINGS.notice_history + SECOND
        forgotten = forgotten_rows(alarm_story.db, after, delivery_history="9999d", engagement_history="9999d")
        assert forgotten == {"notice": 1, "alarm": 1}
        assert (count(alarm_story.db, "delivery_try"), count(alarm_story.db, "engagement")) == (0, 0)

    def test_what_still_waits_to_be_sent_is_kept(self, alarm_story):
        alarm_story.db.execute("UPDATE outbox SET status = 'waiting', finished_at = NULL")
        assert "notice" not in forgotten_rows(alarm_story.db, alarm_story.now + 2 * SETTINGS.notice_history)

    def test_a_recall_keeps_its_notices_deliveries_opens_and_ledger(self, url, db):
        add_units(db, ("P1", "L1", None), ("P2", "L1", None))
        add_owners(db, {"P1": "Ada"})
        with office(url, db) as at:
            campaign = at.publish()
            at.work()
            (notice,) = column_values(db, "UPDATE notice SET state = 'resolved', resolved_at = now() RETURNING id")
            addresses.note(db, person(db, "Ada"), "email", "opened", at.world.now(), notice)
            db.execute("UPDATE session SET expires_at = expires_at + interval '21 years'")  # who reads stays signed in
            forgotten_rows(db, at.world.now() + timedelta(days=20 * 365))
            assert [count(db, table) for table in ("notice", "outbox", "ledger", "engagement")] == [1, 2, 2, 1]
            assert at.read(campaign)["progress"]["registered"] == 1

    def test_why_nobody_was_told_is_forgotten_too(self, story):
        story.db.execute("DELETE FROM ownership")
        onset = story.raise_("P1")
        story.work()
        story.clear("P1", onset)
        assert forgotten_rows(story.db, story.now + SETTINGS.notice_history + SECOND) == {"ledger": 1, "alarm": 1}


class TestTheRest:
    def test_tries_and_retired_phones_go_and_live_phones_stay(self, alarm_story):
        alarm_story.db.execute("UPDATE push_token SET retired_at = %s, retired_reason = 'gone'", [alarm_story.now])
        after = alarm_story.now + SETTINGS.delivery_history
        assert forgotten_rows(alarm_story.db, after - 2 * MINUTE, engagement_history="9999d") == {}
        assert forgotten_rows(alarm_story.db, after + SECOND, engagement_history="9999d") == {
            "delivery_try": 1,
            "push_token": 1,
        }
        ada = person(alarm_story.db, "Ada")
        addresses.register_phone(alarm_story.db, ada, "token", "u", "android", alarm_story.now, tokens_max=20)
        assert forgotten_rows(alarm_story.db, after + SECOND, engagement_history="9999d") == {}

    def test_letters_that_ended_go_and_waiting_ones_stay(self, db):
        now = datetime.now(UTC)
        db.execute(
            "INSERT INTO letter (to_email, template, language, data, created_at, due_at, status, finished_at)"
            " VALUES ('a', 't', 'en', '{}', %(now)s, %(now)s, 'sent', %(now)s),"
            " ('b', 't', 'en', '{}', %(now)s, %(now)s, 'waiting', NULL)",
            {"now": now},
        )
        assert forgotten_rows(db, now + SETTINGS.letter_history) == {}
        assert forgotten_rows(db, now + SETTINGS.letter_history + SECOND) == {"letter": 1}
        assert column_values(db, "SELECT to_email FROM letter") == ["b"]

    def test_candidates_of_a_campaign_that_ended_go(self, url, db):
        add_units(db, ("P1", "L1", None), ("P2", "L2", None))
        with office(url, db) as at:
            first = at.publish()
            add_units(db, ("P2", "L1", None))
            at.work()
            assert forgotten_rows(db, at.world.now()) == {}
            at.publish(supersedes=first["id"])
            assert forgotten_rows(db, at.world.now() + SECOND) == {"campaign_candidate": 1}


class TestTurns:
    def test_the_workers_maintenance_forgets_what_is_old_enough(self, db, database):
        now = datetime.now(UTC)
        db.execute(
            "INSERT INTO letter (to_email, template, language, data, created_at, due_at, status, finished_at)"
            " VALUES ('a', 't', 'en', '{}', %(now)s, %(now)s, 'sent', %(now)s)",
            {"now": now - SETTINGS.letter_history - SECOND},
        )
        Worker(SETTINGS, database, lambda: now).maintain()
        assert count(db, "letter") == 0

    def test_of_two_workers_one_maintains_and_the_other_leaves_it_to_that_one(self, db, database, caplog):
        """The first is held up by a table that is locked; the second would wait for it, too."""
        caplog.set_level(logging.INFO)
        first, second = (threading.Thread(target=Worker(SETTINGS, database, system_clock).maintain) for _ in range(2))
        with db.transaction():
            db.execute("LOCK TABLE quarantine")
            first.start()
            until(lambda: db.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount)
            second.start()
            second.join(10)
            assert not second.is_alive()
            assert "days dropped" not in caplog.text
        first.join(10)
        assert caplog.text.count("days dropped") == 1

    def test_each_transaction_forgets_a_bounded_number_and_the_run_goes_on(self, db, monkeypatch):
        monkeypatch.setattr(retention, "TURN", 3)
        now = datetime.now(UTC)
        db.execute(
            "INSERT INTO letter (to_email, template, language, data, created_at, due_at, status, finished_at)"
            " SELECT n, 't', 'en', '{}', %(now)s, %(now)s, 'sent', %(now)s FROM generate_series(1, 10) AS n",
            {"now": now},
        )
        turns = []
        letters = retention.notices.forget_letters
        monkeypatch.setattr(
            retention.notices, "forget_letters", lambda *given: turns.append(letters(*given)) or turns[-1]
        )
        assert forgotten_rows(db, now + 100 * DAY) == {"letter": 10}
        assert turns == [3, 3, 3, 1]

    def test_sign_ins_are_forgotten_in_turns_the_oldest_first_and_what_counts_stays(self, db, monkeypatch):
        """Strangers write these tables: an hour of them must not be one statement."""
        now = datetime.now(UTC)
        (account,) = column_values(
            db,
            "WITH who AS (INSERT INTO person (public_id, name, email, language)"
            " VALUES ('x', 'x', 'x', 'en') RETURNING id)"
            " INSERT INTO account (public_id, person_id, role, created_at) SELECT 'x', id, 'customer', now() FROM who"
            " RETURNING id",
        )
        tables = {
            "sign_in_code": (
                "email, purpose, code_hash, created_at, expires_at, data",
                "'a', 'reset', '', at, at, '{}'",
            ),
            "session": (
                "token_hash, account_id, created_at, seen_at, expires_at",
                "text::bytea, %(account)s, at, at, at",
            ),
            "known_browser": ("token_hash, account_id, seen_at, expires_at", "text::bytea, %(account)s, at, at"),
            "attempt": ("kind, key, at", "'a', text, at - interval '1 day'"),
        }
        for table, (columns, values) in tables.items():
            db.execute(
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM ("
                "SELECT n::text AS text, %(now)s - n * interval '1 hour' AS at FROM generate_series(-1, 10) AS n"
                " WHERE n <> 0) AS rows",
                {"now": now, "account": account},
            )
        sweeps = {sweep.table: sweep for sweep in retention.sweeps(SETTINGS, now)}
        for table in tables:
            sweep = sweeps[table]
            assert sweep.forget(db, sweep.before, 3) == 3, table
            when = "at" if table == "attempt" else "expires_at"
            left = column_values(
                db, f"SELECT round(extract(epoch FROM %s - {when}) / 3600) FROM {table} ORDER BY 1", [sweep.before]
            )
            assert left == [-1, *range(1, 8)], table
        monkeypatch.setattr(retention, "TURN", 3)
        assert forgotten_rows(db, now) == dict.fromkeys(tables, 7)
        assert [count(db, table) for table in tables] == [1, 1, 1, 1]

    def test_a_table_that_cannot_be_swept_keeps_no_other_from_it(self, db, monkeypatch):
        def broken(*_):
            raise LookupError

        now = datetime.now(UTC)
        db.execute(
            "INSERT INTO sign_in_code (email, purpose, code_hash, created_at, expires_at, data)"
            " VALUES ('a', 'reset', '', now(), now(), '{}')"
        )
        monkeypatch.setattr(retention.notices, "forget_letters", broken)
        found = retention.forget_old(db, SETTINGS, now)
        assert "letter" not in found
        assert "alarm" in found

    def test_the_oldest_are_found_by_an_index(self, db):
        """Each turn would otherwise read a table of years."""
        db.execute("SET enable_seqscan = off")
        for table, where in (
            ("notice", "campaign_id IS NULL AND state <> 'open' AND updated_at < now() ORDER BY updated_at"),
            ("ledger", "campaign_id IS NULL AND notice_id IS NULL AND at < now() ORDER BY at"),
            ("alarm", "cleared_at < now() ORDER BY cleared_at"),
            ("delivery_try", "at < now() ORDER BY at"),
            ("engagement", "at < now() ORDER BY at"),
            ("letter", "finished_at < now() ORDER BY finished_at"),
            ("push_token", "retired_at < now() ORDER BY retired_at"),
        ):
            rows = db.execute(f"EXPLAIN SELECT id FROM {table} WHERE {where} LIMIT 10").fetchall()
            plan = "\n".join(row["QUERY PLAN"] for row in rows)
            assert "Index" in plan, plan
            assert "Sort" not in plan, plan
