"""The event log by months: there is always room for now, and what is old goes when the operator says so."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from gateway.config import Settings
from gateway.events import Position, append, append_all, place_events, read, read_next
from gateway.events.log import queries
from gateway.events.months import drop_before, ensure_months, room_until
from gateway.roles.worker import READER, Worker
from gateway.store import Connection, connect

pytestmark = pytest.mark.both


def months(db: Connection) -> list[str]:
    rows = db.execute(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'event'::regclass ORDER BY 1"
    )
    return [row["name"].removeprefix("event_") for row in rows]


def insert_event(db: Connection, at: str) -> None:
    db.execute("INSERT INTO event (at, kind, actor, data) VALUES (%s, 'said', 'test', '{}')", [at])


def all_read(db: Connection, *readers: str) -> None:
    place_events(db)
    for reader in readers:
        with db.transaction():
            read_next(db, reader, 10_000, ())


def ats(db: Connection) -> list[str]:
    return [f"{event.at:%Y-%m-%d}" for event in read(db, Position(), 10_000)]


def make_months(db: Connection, first: date, count: int = 4) -> None:
    db.execute(
        "SELECT event_make_month((%s::date + n * interval '1 month')::date) FROM generate_series(0, %s) AS n",
        [first, count - 1],
    )


def test_there_is_room_for_this_month_and_the_next_three(db):
    today = datetime.now(UTC).date()
    made = months(db)
    assert (made[0], len(made)) == (f"{today:%Y%m}", 4)
    ensure_months(db)
    assert months(db) == made
    make_months(db, date(2031, 11, 30))
    assert months(db)[-4:] == ["203111", "203112", "203201", "203202"]
    assert room_until(db) == date(2032, 3, 1)


def test_old_months_go_whole_with_their_places_once_every_reader_has_read_them(db):
    make_months(db, date(2025, 1, 1))
    for at in ("2025-01-01T00:00:00Z", "2025-01-31T23:59:59Z", "2025-02-01T00:00:00Z", "2025-03-31T12:00:00Z"):
        insert_event(db, at)
    assert drop_before(db, date(2025, 4, 1)) == 0, "none of them has a place yet"
    all_read(db, "one")
    db.execute("INSERT INTO event_reader (name) VALUES ('slow')")
    assert drop_before(db, date(2025, 4, 1)) == 0, "nobody may miss what another has read"
    all_read(db, "slow")
    assert drop_before(db, date(2025, 2, 28)) == 1
    assert ats(db) == ["2025-02-01", "2025-03-31"]
    assert drop_before(db, date(2025, 4, 1)) == 2
    assert ats(db) == []
    assert db.execute("SELECT count(*) AS n FROM event_place").fetchone() == {"n": 0}
    append(db, "said", {})
    (event,) = read(db, Position(), 9)
    assert event.position == Position(5), "places are never given again"


def test_the_workers_maintenance_drops_what_the_setting_says_and_nothing_without_it(db, database):
    make_months(db, date(2025, 1, 1))
    for at in ("2025-01-05T00:00:00Z", "2025-03-05T00:00:00Z"):
        insert_event(db, at)
    all_read(db, READER)
    for history, left in (
        (None, ["2025-01-05", "2025-03-05"]),
        ("90d", ["2025-01-05", "2025-03-05"]),
        ("30d", ["2025-03-05"]),
    ):
        now = datetime(2025, 3, 20, tzinfo=UTC)
        Worker(Settings(event_history=history), database, lambda: now).maintain()  # noqa: B023 - called at once
        assert ats(db) == left, history


def test_a_month_with_a_dead_letter_stays(db):
    make_months(db, date(2025, 1, 1))
    insert_event(db, "2025-01-05T00:00:00Z")
    all_read(db, "one")
    db.execute(
        "INSERT INTO event_dead_letter (reader, place, at, error, first_failed_at, last_failed_at, next_try_at)"
        " SELECT 'one', place, at, 'x', now(), now(), now() FROM event_place"
    )
    assert drop_before(db, date(2025, 4, 1)) == 0
    db.execute("DELETE FROM event_dead_letter")
    assert drop_before(db, date(2025, 4, 1)) > 0


def test_dropping_gives_way_to_a_transaction_that_has_read_the_log(url, db):
    """It would wait for that one, and everybody who appends for it."""
    make_months(db, date(2025, 1, 1))
    db.execute("SET statement_timeout = '5s'")  # it gives way by itself, long before
    with connect(url) as other, other.transaction():
        append(other, "said", {})
        with pytest.raises(psycopg.errors.LockNotAvailable):
            drop_before(db, date(2025, 4, 1))
    assert drop_before(db, date(2025, 4, 1)) == 3


def test_a_month_is_as_append_only_as_the_log(db):
    append(db, "said", {})
    month = months(db)[0]
    for statement in (f"UPDATE event_{month} SET kind = 'x'", f"DELETE FROM event_{month}"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            db.execute(statement)


def test_a_page_of_the_log_reads_its_own_months_only(db):
    """With ten years of months a page must not search each of them for every event."""
    for year in range(2016, 2026):
        make_months(db, date(year, 1, 1), 12)
    append_all(db, "said", [(0, {})] * 2_000, actor="test")
    place_events(db)
    db.execute("ANALYZE event_place, event")
    text = queries.read.as_string(db).replace("%(place)s", "50").replace("%(limit)s", "10")
    plan = [row["QUERY PLAN"] for row in db.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {text}")]
    executed = [line for line in plan if " on event_2" in line and "never executed" not in line]
    assert len(executed) == 1, "\n".join(plan)
    assert any(f"Index Scan using event_{months(db)[-4]}_pkey" in line for line in executed)
