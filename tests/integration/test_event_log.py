"""The event log has one order that never changes, although transactions commit in another."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from gateway.core.errors import BadInput
from gateway.events import Event, Position, append, append_all, append_each, end, place_events, read, read_next
from gateway.events.log import queries
from gateway.store import Connection, connect
from tests.conftest import migrated_database
from tests.dsl.wait import until
from tests.factories import make_fleet

pytestmark = pytest.mark.both


@pytest.fixture(scope="module")
def url(server, migrated) -> Iterator[str]:
    """One database for all tests here: a log only grows, so each test begins where the one before it ended."""
    with migrated_database(server, migrated) as own:
        yield own


@pytest.fixture
def start(db) -> Position:
    """The end of the log before the test."""
    return end(db)


def append_words(tx: Connection, *words: str) -> None:
    for word in words:
        append(tx, "said", {"word": word})


def words(events) -> str:
    return "".join(event.data["word"] for event in events)


def words_after(db: Connection, after: Position, limit: int = 100) -> tuple[str, Position]:
    events = read(db, after, limit)
    return words(events), events[-1].position if events else after


def test_an_event_can_be_read_by_its_own_commit_whatever_older_transactions_do(url, db, start):
    """A large import took its id first and commits last: it must hold back nobody's alarm (T1)."""
    with connect(url) as other:
        with db.transaction():
            append_words(db, "a")
            with other.transaction():
                append_words(other, "x")
            heard, place = words_after(other, start)
            assert heard == "x"
            assert end(other) == place
            append_words(db, "b")
            assert words_after(other, place) == ("", place)
        assert words_after(other, place)[0] == "ab", "what commits later stands behind, though it was written before"
        assert words_after(other, start)[0] == "xab"


def test_a_transaction_in_another_database_of_the_server_holds_back_nothing(server, db, start):
    """T3: the columnstore of another application, a temporary table, anything that has written."""
    with connect(server) as other, other.transaction():
        other.execute("CREATE TEMPORARY TABLE t (a int) ON COMMIT DROP")
        assert other.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS has").fetchone()["has"]
        append_words(db, "a")
        assert words_after(db, start)[0] == "a"


def test_nothing_is_read_twice_or_passed_over_while_transactions_overlap(url, db, start):
    with connect(url) as one, connect(url) as two:
        one.execute("BEGIN")
        append_words(one, "1")
        two.execute("BEGIN")
        append_words(two, "2")
        two.execute("COMMIT")
        heard, place = words_after(db, start)
        assert heard == "2", "1 is older and still open"
        two.execute("BEGIN")
        append_words(two, "4")
        one.execute("COMMIT")
        heard, place = words_after(db, place)
        assert heard == "1"
        one.execute("BEGIN")
        append_words(one, "5")
        one.execute("COMMIT")
        heard, place = words_after(db, place)
        assert heard == "5"
        assert words_after(db, place) == ("", place)
        two.execute("COMMIT")
        assert words_after(db, place)[0] == "4"
        assert words_after(db, start)[0] == "2154"


def test_what_was_rolled_back_never_happened(url, db, start):
    with connect(url) as other:
        other.execute("BEGIN")
        append_words(other, "x")
        append_words(db, "a")
        assert words_after(db, start)[0] == "a"
        other.execute("ROLLBACK")
        append_words(db, "b")
        assert words_after(db, start)[0] == "ab"


def test_a_turn_that_is_rolled_back_places_nothing_and_forgets_nothing(url, db, start):
    append_words(db, "a")
    with connect(url) as other:
        other.execute("BEGIN")
        other.execute(queries.place, {"limit": 9})
        other.execute("ROLLBACK")
        assert words_after(other, start)[0] == "a"


def test_what_a_transaction_writes_behind_a_turn_of_its_own_is_not_passed_over(url, db, start):
    """`read` makes no turn inside a transaction, but nothing may depend on that."""
    with connect(url) as other, db.transaction():
        append_words(db, "a")
        append_words(other, "x")  # ends with a higher transaction id: so ours is among those that a snapshot calls done
        db.execute(queries.place, {"limit": 9})
        append_words(db, "b")
    assert words_after(db, start)[0] == "axb"


def test_a_reader_waits_for_a_turn_that_is_not_committed_so_no_lower_place_appears_behind_it(url, db, start):
    append_words(db, "a")
    with connect(url) as slow, connect(url) as reader, ThreadPoolExecutor(1) as threads:
        slow.execute("BEGIN")
        slow.execute(queries.place, {"limit": 9})
        append_words(db, "b")
        heard = threads.submit(words_after, reader, start)
        until(lambda: heard.done() or _waits(db))
        assert not heard.done()
        slow.execute("COMMIT")
        assert heard.result(20)[0] == "ab"


def waits_for_a_row(db: Connection) -> bool:
    """Whether a transaction waits for another one to end."""
    return db.execute("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'").rowcount > 0


def _waits(db: Connection) -> bool:
    return db.execute("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'").fetchone() is not None


def test_inside_a_transaction_a_reader_gives_no_places(url, db, start):
    """The lock would be held as long as the transaction: every other reader would wait for it."""
    append_words(db, "a")
    with connect(url) as other, other.transaction():
        assert read(other, start, 9) == []
        assert words_after(db, start)[0] == "a"


def test_what_waits_in_a_dump_of_another_cluster_is_placed_there(url, db, start):
    """Its transaction ids mean nothing in the new one: they may be far ahead, or long gone."""
    append_words(db, "a")
    db.execute("UPDATE event_waiting SET xid = '9999999999999'")
    append_words(db, "b")
    db.execute("UPDATE event_waiting SET xid = '3' WHERE xid < '9999999999999'")
    with connect(url) as new:
        assert words_after(new, start)[0] == "ba"
        assert words_after(new, end(new)) == ("", end(new))


def test_a_turn_is_bounded_and_the_next_one_goes_on(db, start):
    with db.transaction():
        append_words(db, *"abcde")
    assert [db.execute(queries.place, {"limit": 2}).fetchone()["placed"] for _ in range(4)] == [2, 2, 1, 0]
    assert words_after(db, start)[0] == "abcde"


def test_a_turn_looks_only_at_what_ended_since_the_last_one(url, db, start):
    """What was placed stays in the index while any old snapshot is held: the scan must not grow with it."""
    with connect(url) as old:
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT count(*) FROM event")
        append_each(db, "said", [(0, 0, {"word": "."})] * 3_000)
        end(db)
        append_words(db, "a")
        db.execute("SELECT pg_stat_force_next_flush()")
        before = _index_reads(url)
        assert place_events(db) == 1
        db.execute("SELECT pg_stat_force_next_flush()")
        assert _index_reads(url) - before < 20
    with connect(url) as new:
        assert place_events(new) == 0


def _index_reads(url: str) -> int:
    with connect(url) as watching:
        row = watching.execute(
            "SELECT idx_tup_read AS n FROM pg_stat_user_indexes WHERE indexrelname = 'event_waiting_pkey'"
        ).fetchone()
        return row["n"]


def test_events_of_a_savepoint_stand_in_their_transaction(url, db, start):
    with db.transaction():
        append_words(db, "a")
        with db.transaction():
            append_words(db, "b")
        with db.transaction():
            append_words(db, "x")
            raise psycopg.Rollback
        append_words(db, "c")
    assert words_after(db, start)[0] == "abc"


def test_a_page_goes_on_where_the_last_one_ended(db, start):
    with db.transaction():
        append_words(db, *"abcde")
    heard, place = words_after(db, start, limit=2)
    assert heard == "ab"
    assert words_after(db, place, limit=2)[0] == "cd"
    assert words_after(db, Position(2**60)) == ("", Position(2**60))


def test_the_log_only_grows(db, start):
    append_words(db, "a")
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event", "TRUNCATE event"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            db.execute(statement)
    assert words_after(db, start)[0] == "a"


def said_next(tx: Connection, reader: str, limit: int) -> list[Event]:
    return read_next(tx, reader, limit, {"said"})[0]


def has_read_all(db: Connection, reader: str) -> None:
    place_events(db)
    with db.transaction():
        said_next(db, reader, 100_000)


def test_a_named_reader_has_each_event_once_also_over_a_rollback(url, db):
    with connect(url) as reader:
        has_read_all(reader, "one")
        append_words(db, *"abc")
        place_events(db)
        with reader.transaction():
            assert words(said_next(reader, "one", 2)) == "ab"
        with reader.transaction():
            assert words(said_next(reader, "one", 2)) == "c"
            raise psycopg.Rollback
        with reader.transaction():
            assert words(said_next(reader, "one", 2)) == "c"
        with reader.transaction():
            assert said_next(reader, "one", 2) == []


def test_a_new_reader_begins_at_the_start_of_the_log(db):
    append_words(db, *"abc")
    place_events(db)
    with db.transaction():
        every = read(db, Position(), 100_000)
        assert read_next(db, "new", 100_000, {event.kind for event in every}) == (every, len(every))


def test_a_reader_passes_over_the_events_of_other_kinds(db):
    has_read_all(db, "chosen")
    append_words(db, "a")
    append(db, "sung", {"word": "x"})
    append_words(db, "b")
    place_events(db)
    with db.transaction():
        events, count = read_next(db, "chosen", 100, {"said"})
        assert (words(events), count) == ("ab", 3)
    with db.transaction():
        assert read_next(db, "chosen", 100, {"sung"}) == ([], 0), "it was passed, so it is read"


def test_two_processes_of_one_reader_take_turns(url, db):
    has_read_all(db, "two")
    append_words(db, *"abcd")
    place_events(db)
    heard: list[str] = []

    def second() -> None:
        with connect(url) as other, other.transaction():
            heard.append(words(said_next(other, "two", 9)))

    with db.transaction():
        db.execute(queries.lock_reader, {"name": "two"})  # how read_next begins
        thread = threading.Thread(target=second)
        thread.start()
        until(lambda: not thread.is_alive() or waits_for_a_row(db))
        assert words(said_next(db, "two", 2)) == "ab"
        assert waits_for_a_row(db), "until the first one's commit"
    thread.join(10)
    assert heard == ["cd"]


def test_an_event_names_unit_and_person_by_their_public_ids(url, db):
    make_fleet(url, ["P1"])
    unit = db.execute("SELECT id, public_id FROM unit").fetchone()
    person = db.execute("SELECT id, public_id FROM person").fetchone()
    place = end(db)
    append(db, "seen", {}, actor="ada", unit_id=unit["id"], person_id=person["id"])
    append_all(db, "kept", [(unit["id"], {"n": 1}), (unit["id"], {"n": 2})], actor="test")
    first, *others = read(db, place, 9)
    assert (first.kind, first.actor, first.unit, first.person) == (
        "seen",
        "ada",
        unit["public_id"],
        person["public_id"],
    )
    assert [(event.unit, event.person, event.data) for event in others] == [
        (unit["public_id"], None, {"n": 1}),
        (unit["public_id"], None, {"n": 2}),
    ]


def test_every_follower_sees_every_event_of_many_writers_once_in_the_one_order(url, db, start):
    """Writers commit at different speed, sometimes several events, sometimes nothing; each follower gives places."""
    writers, followers, rounds = 4, 3, 60
    done = threading.Event()

    def write(writer: int) -> None:
        with connect(url) as own:
            for nth in range(rounds):
                own.execute("BEGIN")
                append_words(own, *[f"{writer}.{nth}.{part} " for part in range(1 + nth % 3)])
                own.execute("SELECT pg_sleep(%s)", [(nth * (writer + 3) % 7) / 2000])
                own.execute("ROLLBACK" if nth % 10 == 9 else "COMMIT")

    def follow() -> list[str]:
        place, seen = start, []
        with connect(url) as own:
            while True:
                last_round = done.is_set()
                while events := read(own, place, 7):
                    seen.extend(event.data["word"] for event in events)
                    place = events[-1].position
                if last_round:
                    return seen

    with ThreadPoolExecutor(writers + followers) as threads:
        following = [threads.submit(follow) for _ in range(followers)]
        for future in [threads.submit(write, writer) for writer in range(writers)]:
            future.result(60)
        done.set()
        seen = [each.result(60) for each in following]
    everything = [event.data["word"] for event in read(db, start, 10_000)]
    assert seen == [everything] * followers
    committed = [nth for nth in range(rounds) if nth % 10 != 9]
    for writer in range(writers):
        wanted = [f"{writer}.{nth}.{part} " for nth in committed for part in range(1 + nth % 3)]
        assert [word for word in everything if word.startswith(f"{writer}.")] == wanted


def test_a_position_reads_back_as_it_was_written():
    assert Position.parse(str(Position(812))) == Position(812)
    assert Position.parse("0") == Position()
    assert Position(9) < Position(10)


@pytest.mark.parametrize("text", ["", ".", "1.", ".1", "-1", "a", "812.44", "1e3", " 1", "1 ", "1" * 19, "\u0661"])
def test_anything_else_is_no_position(text: str):
    with pytest.raises(BadInput, match="is not a place in the event log; use the cursor of an event"):
        Position.parse(text)


def test_no_address_comes_into_the_log_also_not_in_the_words_of_a_mail_server(db, start):
    append(db, "delivery.failed", {"reason": "550 5.1.1 <ada@example.org>: nobody (to=Ada.L@example.org)", "n": 1})
    append_all(db, "kept", [(1, {"deep": [{"reason": "ada@example.org"}, "12 bar @ 3 s"]})], actor="test")
    assert [event.data for event in read(db, start, 9)] == [
        {"reason": "550 5.1.1 <(an address)>: nobody (to=(an address))", "n": 1},
        {"deep": [{"reason": "(an address)"}, "12 bar @ 3 s"]},
    ]
