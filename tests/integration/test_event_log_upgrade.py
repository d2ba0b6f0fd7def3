"""A log and its readers from before places: the order stays, and each reader goes on where it was."""

import pytest

from gateway.events import Position, append, end, place_events, read, read_next
from gateway.store import Connection, connect, migrate

pytestmark = pytest.mark.both

KINDS = ("early", "late", "b", "c", "after")
from_files = migrate.all_migrations


def former(db: Connection, kind: str) -> None:
    db.execute("INSERT INTO event (at, kind, actor, data) VALUES ('2026-03-31T23:59:59Z', %s, 'test', '{}')", [kind])


def test_events_and_readers_keep_their_order_and_places(empty_url, monkeypatch):
    monkeypatch.setattr(migrate, "all_migrations", lambda: [each for each in from_files() if each[0] < "0012"])
    migrate.migrate(empty_url)
    with connect(empty_url) as db, connect(empty_url) as slow:
        slow.execute("BEGIN")
        former(slow, "early")  # has the lowest transaction id, so it comes first whatever its number is
        former(db, "b")
        former(db, "c")
        former(slow, "late")
        slow.execute("COMMIT")
        db.execute("INSERT INTO event_reader (name, xid, id) SELECT 'midway', xid, id FROM event WHERE kind = 'b'")
        db.execute("INSERT INTO event_reader (name, xid, id) VALUES ('new', '0', 0)")
    monkeypatch.undo()
    assert "0012_pre_event_places.sql" in migrate.migrate(empty_url)
    with connect(empty_url) as db:
        assert [event.kind for event in read(db, Position(), 9)] == ["early", "late", "b", "c"]
        assert end(db) == Position(4)
        append(db, "after", {})
        place_events(db)
        with db.transaction():
            assert [event.kind for event in read_next(db, "midway", 9, KINDS)[0]] == ["c", "after"]
            assert [event.kind for event in read_next(db, "new", 9, KINDS)[0]] == ["early", "late", "b", "c", "after"]


def test_an_empty_log_is_upgraded_too(url):
    with connect(url) as db:
        assert end(db) == Position()
        append(db, "first", {})
        assert [(event.kind, event.position) for event in read(db, Position(), 9)] == [("first", Position(1))]
