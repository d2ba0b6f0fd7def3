"""Every stored document has its number in the database, and is what its model says."""

import json
import re
from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from gateway.alarms import repository as alarms
from gateway.core.documents import DocumentKind
from gateway.core.errors import Unavailable
from gateway.ingest import repository as ingest
from gateway.notify import repository as notify
from gateway.rules import repository as rules
from gateway.store import Jsonb
from tests.dsl.campaigns import office
from tests.dsl.documents import FOLDER, NOT_DOCUMENTS, STORED
from tests.dsl.story import MINUTE
from tests.factories.campaigns import UPDATE, WITHDRAWAL, add_owners, add_units
from tests.unit.test_queries import FILES

JSON = """
SELECT c.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.atttypid IN ('json'::regtype, 'jsonb'::regtype) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relnamespace = current_schema()::regnamespace AND NOT a.attisdropped
"""


def test_every_column_of_json_has_a_number_or_a_reason_why_it_needs_none(db):
    columns = {row["name"] for row in db.execute(JSON)}
    stored = {column for each in STORED for column in each.columns}
    assert columns == stored | set(NOT_DOCUMENTS)
    for column in stored:
        table, _, name = column.partition(".")
        db.execute(f"SELECT {'clearing_schema' if name == 'clearing' else 'schema'} FROM {table} LIMIT 1")


def test_what_is_written_is_what_the_models_say_and_nothing_else(url, story):
    onset = story.raise_("P1", "P2")
    story.work()
    story.later(MINUTE)
    story.clear("P1", onset)
    story.work()
    add_units(story.db, ("C1", "L1", "2.3"))
    add_owners(story.db, {"C1": "Ada"})
    with office(url, story.db) as at:
        campaign = at.publish()
        at.work()
        at.publish(UPDATE)
        at.approve(at.draft(WITHDRAWAL, None, campaign["id"]))
        at.work()
        at.world.browser().sign_up("new@example.org")
    for stored in STORED:
        table = stored.columns[0].partition(".")[0]
        names = [column.partition(".")[2] for column in stored.columns]
        rows = story.db.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
        assert rows, f"nothing was written into {table}"
        for row in rows:
            for part, model in stored.models.items():
                if row[part or names[0]] is not None:
                    TypeAdapter(model).validate_python(row[part or names[0]])


def test_a_notice_of_a_campaign_that_an_older_version_wrote_whole_is_read_as_it_was_written(url, db):
    add_units(db, ("P1", "L1", "2.3"))
    add_owners(db, {"P1": "Ada"})
    document = json.loads((FOLDER / "notice.1.recall.json").read_text("utf-8"))
    with office(url, db) as at:
        at.publish()
        at.work()
        documents = [Jsonb(document["text"]), Jsonb(document["why"])]
        db.execute("UPDATE notice SET schema = 1, text = %s, why = %s", documents)
        (shown,) = at.world.as_("customer", "ada@example.org").get("/api/my/feed").json()["pinned"]
    assert shown["title"] == document["text"]["title"]
    assert {name: shown["campaign"][name] for name in document["why"] if name != "published_at"} == {
        name: value for name, value in document["why"].items() if name != "published_at"
    }


class TestWrittenByANewerVersion:
    """A number that the code does not know is an error that says so, never a guess."""

    def test_a_rule(self, story):
        story.db.execute("UPDATE rule_version SET schema = 2")
        with pytest.raises(Unavailable, match="A stored rule was written by a newer version: it has schema 2"):
            story.refresh()

    def test_a_notice_and_an_alarm(self, story):
        story.raise_("P1")
        story.work()
        story.db.execute("UPDATE notice SET schema = 3")
        with pytest.raises(Unavailable, match="A stored notice"):
            notify.feed(story.db, 2**62, 10, "en")
        story.db.execute("UPDATE alarm SET schema = 2")
        with pytest.raises(Unavailable, match="A stored alarm's evidence"):
            alarms.page(story.db, alarms.Filters(), None, 10, "en")

    def test_the_state_and_the_journal(self, story):
        story.db.execute("INSERT INTO rule_snapshot (product_id, partition, state, schema)"
                         " SELECT id, 0, '', 2 FROM product")  # fmt: skip
        with pytest.raises(Unavailable, match="A stored rule snapshot"):
            rules.snapshots(story.db)
        story.db.execute(
            "INSERT INTO ingest_journal (seq, at, readings, messages, schema) VALUES (1, now(), '', '', 2)"
        )
        with pytest.raises(Unavailable, match="A stored journal entry"):
            list(ingest.journal_after(story.db, 0))

    def test_a_campaign_of_one_holds_up_no_other(self, url, db):
        add_units(db, ("P1", "L1", "2.3"))
        add_owners(db, {"P1": "Ada"})
        with office(url, db) as at:
            newer = at.publish()
            at.db.execute("UPDATE campaign SET schema = 3")
            other = at.publish(UPDATE)
            for pause in (0, 1, 2, 4):
                at.later(timedelta(minutes=pause))
                at.work()
            assert [number for number, *_ in at.notices()] == [other["number"]]
            failed = {"of": newer["number"], "campaign": newer["id"], "error": "Unavailable"}
            assert at.events("event.unhandled") == [failed], "said once, without the words of the error"
            assert tries(at.db, newer) == 4, "each pause is twice the one before"
            at.db.execute("UPDATE campaign SET schema = 2")
            at.later(timedelta(minutes=8))
            at.work()
            assert tries(at.db, newer) == 0
            assert [number for number, *_ in at.notices()] == [other["number"], newer["number"]]
            at.db.execute("UPDATE campaign SET schema = 3")
            refused = at.paula.get(f"/api/campaigns/{newer['id']}")
            assert (refused.status_code, "newer version" in refused.json()["detail"]) == (503, True)


def tries(db, campaign):
    """How often in a row a campaign could not be told."""
    return db.execute("SELECT tell_tries FROM campaign WHERE number = %s", [campaign["number"]]).fetchone()[
        "tell_tries"
    ]


def test_rows_of_an_older_schema_stay_readable_when_a_field_is_renamed(story, monkeypatch):
    """Schema 3 calls the body of a notice `message`: what was stored before is read as it would be written then."""
    story.raise_("P1")
    story.work()
    renamed = DocumentKind("notice", 3, {1: dict, 2: lambda old: old | {"text": _renamed(old["text"])}})
    monkeypatch.setattr(notify, "NOTICE", renamed)
    (row,) = notify.feed(story.db, 2**62, 10, "en")
    assert row["text"] == {"title": "Switch the pump off", "message": "It is 95 °C.", "action": "Let it cool."}
    story.db.execute("UPDATE notice SET schema = 3, text = %s", [Jsonb(row["text"])])
    assert notify.feed(story.db, 2**62, 10, "en")[0]["text"] == row["text"]


def test_a_notice_that_one_more_alarm_joins_is_of_one_schema_afterwards(story, monkeypatch):
    story.raise_("P1")
    story.work()
    renamed = DocumentKind("notice", 3, {1: dict, 2: lambda old: old | {"text": _renamed(old["text"])}})
    monkeypatch.setattr(notify, "NOTICE", renamed)
    story.later(MINUTE)
    story.raise_("P1")
    story.work()
    ((schema, text),) = story.column("SELECT schema, text FROM notice")
    assert (schema, "message" in text) == (3, True)


def _renamed(text):
    return {"message" if name == "body" else name: value for name, value in text.items()}


class TestWhatSqlReads:
    """SQL reads past the upgrades: every path it takes is named by its kind."""

    PATH = re.compile(r"\b(\w+)((?: *->>? *'\w+')+)")
    COLUMNS = ("document", "content", "audience", "text", "why", "evidence", "clearing", "steps")
    WHOLE = ("document", "evidence", "clearing", "steps")

    def paths(self, sql):
        for column, steps in self.PATH.findall(sql):
            if column in self.COLUMNS:
                path = ".".join(re.findall(r"'(\w+)'", steps))
                yield path if column in self.WHOLE else f"{column}.{path}"

    def test_every_path_in_a_query_or_a_view_is_named(self, db):
        views = db.execute(
            "SELECT pg_get_viewdef(c.oid) AS sql FROM pg_class c"
            " WHERE c.relkind = 'v' AND c.relnamespace = current_schema()::regnamespace"
        )
        texts = [file.read_text("utf-8") for file in FILES] + [row["sql"].replace("::text", "") for row in views]
        found = {path for sql in texts for path in self.paths(sql)}
        assert {"title.en", "audience.below", "content.title", "why.value"} <= found
        assert found - {path for stored in STORED for path in stored.kind.sql_paths} == set()
