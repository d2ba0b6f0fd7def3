"""The event log has one order that never changes, although transactions commit in another."""

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from factories import make_fleet

from gateway.core.errors import BadInput
from gateway.events import Position, append, append_all, end, read, read_next
from gateway.events.log import queries
from gateway.store import Connection, connect
from gateway.store.migrate import migrate


@pytest.fixture(scope="module")
def url(server) -> Iterator[str]:
    """One database for all tests here: a log only grows, so each test begins where the one before it ended."""
    name = f"test_{secrets.token_hex(6)}"
    with connect(server) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        migrate(own := psycopg.conninfo.make_conninfo(server, dbname=name))
        yield own
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def start(db) -> Position:
    """The end of the log before the test."""
    return end(db)


def say(tx: Connection, *words: str) -> None:
    for word in words:
        append(tx, "said", {"word": word})


def words(events) -> str:
    return "".join(event.data["word"] for event in events)


def following(db: Connection, after: Position, limit: int = 100) -> tuple[str, Position]:
    events = read(db, after, limit)
    return words(events), events[-1].position if events else after


def test_an_open_older_transaction_holds_back_what_younger_ones_committed(url, db, start):
    """Else a reader would go past the place where the older one's events appear later, and never see them."""
    with connect(url) as other:
        with db.transaction():
            say(db, "a")
            with other.transaction():
                say(other, "x")
            assert read(other, start, 9) == []
            assert end(other) == start
            say(db, "b")
        assert following(other, start)[0] == "abx"
        assert following(other, start)[1] == end(other)


def test_nothing_is_read_out_of_order_or_twice_while_transactions_overlap(url, db, start):
    with connect(url) as one, connect(url) as two:
        one.execute("BEGIN")
        say(one, "1")
        two.execute("BEGIN")
        say(two, "2")
        two.execute("COMMIT")
        heard, place = following(db, start)
        assert heard == "", "1 is older and still open"
        two.execute("BEGIN")
        say(two, "4")
        one.execute("COMMIT")
        heard, place = following(db, place)
        assert heard == "12", "4 is still open, and holds back nothing older"
        one.execute("BEGIN")
        say(one, "5")
        one.execute("COMMIT")
        assert following(db, place) == ("", place)
        two.execute("COMMIT")
        assert following(db, place)[0] == "45"


def test_what_was_rolled_back_never_happened_and_holds_back_nothing(url, db, start):
    with connect(url) as other:
        other.execute("BEGIN")
        say(other, "x")
        say(db, "a")
        assert following(db, start)[0] == ""
        other.execute("ROLLBACK")
        assert following(db, start)[0] == "a"


def test_events_of_a_savepoint_stand_in_their_transaction(url, db, start):
    with db.transaction():
        say(db, "a")
        with db.transaction():
            say(db, "b")
        with db.transaction():
            say(db, "x")
            raise psycopg.Rollback
        say(db, "c")
    assert following(db, start)[0] == "abc"


def test_a_page_goes_on_where_the_last_one_ended(db, start):
    with db.transaction():
        say(db, *"abcde")
    heard, place = following(db, start, limit=2)
    assert heard == "ab"
    assert following(db, place, limit=2)[0] == "cd"
    assert following(db, Position(2**60, 0)) == ("", Position(2**60, 0))


def test_the_log_only_grows(db, start):
    say(db, "a")
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event", "TRUNCATE event"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            db.execute(statement)
    assert following(db, start)[0] == "a"


def has_read_all(db: Connection, reader: str) -> None:
    with db.transaction():
        read_next(db, reader, 100_000)


def test_a_named_reader_has_each_event_once_also_over_a_rollback(url, db):
    with connect(url) as reader:
        has_read_all(reader, "one")
        say(db, *"abc")
        with reader.transaction():
            assert words(read_next(reader, "one", 2)) == "ab"
        with reader.transaction():
            assert words(read_next(reader, "one", 2)) == "c"
            raise psycopg.Rollback
        with reader.transaction():
            assert words(read_next(reader, "one", 2)) == "c"
        with reader.transaction():
            assert read_next(reader, "one", 2) == []


def test_a_new_reader_begins_at_the_start_of_the_log(db):
    say(db, *"abc")
    with db.transaction():
        assert read_next(db, "new", 100_000) == read(db, Position(), 100_000)


def test_two_processes_of_one_reader_take_turns(url, db):
    has_read_all(db, "two")
    say(db, *"abcd")
    heard: list[str] = []

    def second() -> None:
        with connect(url) as other, other.transaction():
            heard.append(words(read_next(other, "two", 9)))

    with db.transaction():
        db.execute(queries.lock_reader, {"name": "two"})  # how read_next begins
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert words(read_next(db, "two", 2)) == "ab"
        thread.join(0.3)
        assert thread.is_alive(), "it waits for the first one's commit"
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


def test_a_follower_sees_every_event_of_many_writers_once_in_the_final_order(url, db, start):
    """Writers commit at different speed, sometimes several events, sometimes nothing."""
    writers, rounds = 4, 60
    seen: list[Position] = []
    done = threading.Event()

    def write(writer: int) -> None:
        with connect(url) as own:
            for nth in range(rounds):
                own.execute("BEGIN")
                say(own, *[f"{writer}.{nth} "] * (1 + nth % 3))
                own.execute("SELECT pg_sleep(%s)", [(nth * (writer + 3) % 7) / 2000])
                own.execute("ROLLBACK" if nth % 10 == 9 else "COMMIT")

    def follow() -> None:
        place = start
        with connect(url) as own:
            while True:
                last_round = done.is_set()
                while events := read(own, place, 7):
                    seen.extend(event.position for event in events)
                    place = seen[-1]
                if last_round:
                    return

    with ThreadPoolExecutor(writers + 1) as threads:
        follower = threads.submit(follow)
        for future in [threads.submit(write, writer) for writer in range(writers)]:
            future.result(60)
        done.set()
        follower.result(60)
    everything = [event.position for event in read(db, start, 10_000)]
    assert seen == everything == sorted(set(everything))
    assert len(everything) == writers * sum(1 + nth % 3 for nth in range(rounds) if nth % 10 != 9)


def test_a_position_reads_back_as_it_was_written():
    assert Position.parse(str(Position(812, 44))) == Position(812, 44)
    assert Position.parse("0.0") == Position()
    assert Position(9, 1) < Position(10, 0)


@pytest.mark.parametrize(
    "text", ["", ".", "1", "1.", ".1", "-1.0", "1.-1", "a.b", "1.2.3", "1e3.0", " 1.0", "1" * 19 + ".0"]
)
def test_anything_else_is_no_position(text: str):
    with pytest.raises(BadInput, match="is not a place in the event log; use the cursor of an event"):
        Position.parse(text)
