"""The house rule for SQL: every query has a name and one sentence, and somebody uses it."""

import re
from pathlib import Path

import pytest

import gateway
from gateway.store import load_queries
from gateway.store.queries import Queries

ROOT = Path(gateway.__file__).parent
FILES = sorted(ROOT.rglob("queries.sql"))


@pytest.fixture(params=FILES, ids=lambda file: file.parent.name)
def file(request) -> Path:
    return request.param


def test_the_query_files_are_found():
    assert {file.parent.name for file in FILES} >= {"events", "ingest", "notify", "readings", "registrations", "rules"}


def test_every_query_has_a_name_of_its_own_and_a_sentence(file: Path):
    """A head that the loader does not know would silently become part of the query before it."""
    text = file.read_text("utf-8")
    names = re.findall(r"^--\s*name:\s*(.*)$", text, re.MULTILINE)
    queries = load_queries(f"gateway.{file.parent.name}")
    assert names == list(queries.sentences)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in queries.sentences.values())


def test_every_query_is_one_statement(file: Path):
    queries = load_queries(f"gateway.{file.parent.name}")
    for name in queries.sentences:
        text = getattr(queries, name).as_string()
        assert re.match(r"(WITH|SELECT|INSERT|UPDATE|DELETE|CREATE)\b", text), name
        assert ";" not in text, name


def test_every_query_is_used_and_every_used_one_is_there(file: Path):
    """`queries` stands for the file of the package, wherever in the package it is imported."""
    sources = [source.read_text("utf-8") for source in file.parent.rglob("*.py")]
    used = {name for source in sources for name in re.findall(r"\bqueries\.(?!py\b|sql\b)(\w+)", source)}
    assert used == set(load_queries(f"gateway.{file.parent.name}").sentences)


def test_a_query_that_is_not_there_says_which_file_lacks_it():
    with pytest.raises(AttributeError, match=r"gateway.events/queries.sql has no query named nothing"):
        load_queries("gateway.events").nothing  # noqa: B018 - the access is the point


def test_a_name_that_stands_twice_is_refused():
    """The second would silently take the first one's place."""
    text = "-- name: one\n-- A.\nSELECT 1;\n\n-- name: one\n-- B.\nSELECT 2;\n"
    with pytest.raises(ValueError, match="one"):
        Queries("x/queries.sql", text)


def test_a_head_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match="two"):
        Queries("x/queries.sql", "-- name: one\n-- A.\nSELECT 1;\n\n-- name: two\nSELECT 2;\n")
