"""The house rule for SQL: every query has a name and one sentence, and somebody uses it."""

import ast
import re
from pathlib import Path

import pytest

import gateway
from gateway.store import load_queries
from gateway.store.queries import Queries

ROOT = Path(gateway.__file__).parent
QUERY = re.compile(
    r"\s*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\s|.*\b(?:INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b", re.DOTALL
)
"""How a query reads; a session's commands and definitions (SET, NOTIFY, CREATE, GRANT) are none."""
FILES = sorted(ROOT.rglob("queries.sql"))


@pytest.fixture(params=FILES, ids=lambda file: file.parent.name)
def file(request) -> Path:
    return request.param


def package(file: Path) -> str:
    """The package whose queries these are."""
    return ".".join(file.parent.relative_to(ROOT.parent).parts)


def test_the_query_files_are_found():
    assert {file.parent.name for file in FILES} >= {"events", "ingest", "notify", "readings", "registrations", "rules"}


def test_every_query_has_a_name_of_its_own_and_a_sentence(file: Path):
    """A head that the loader does not know would silently become part of the query before it."""
    text = file.read_text("utf-8")
    names = re.findall(r"^--\s*name:\s*(.*)$", text, re.MULTILINE)
    queries = load_queries(package(file))
    assert names == list(queries.sentences)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in queries.sentences.values())


def test_every_query_is_one_statement(file: Path):
    queries = load_queries(package(file))
    for name in queries.sentences:
        text = getattr(queries, name).as_string()
        assert re.match(r"(WITH|SELECT|INSERT|UPDATE|DELETE|CREATE)\b", text), name
        assert ";" not in text, name


def test_every_query_is_used_and_every_used_one_is_there(file: Path):
    """`queries` stands for the file of the package, wherever in the package it is imported."""
    inner = [other.parent for other in FILES if file.parent in other.parent.parents]
    sources = [
        source.read_text("utf-8")
        for source in file.parent.rglob("*.py")
        if not any(folder in source.parents for folder in inner)
    ]
    used = {name for source in sources for name in re.findall(r"\bqueries\.(?!py\b|sql\b)(\w+)", source)}
    assert used == set(load_queries(package(file)).sentences)


def queries_in(source: str) -> list[str]:
    """The strings of a Python file that read like a query."""
    strings = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return [text for text in strings if isinstance(text, str) and QUERY.match(text)]


def test_no_query_stands_in_python():
    sources = [file for file in ROOT.rglob("*.py") if "web" not in file.parts]
    assert [(file.name, found) for file in sources if (found := queries_in(file.read_text("utf-8")))] == []


@pytest.mark.parametrize(
    "line",
    [
        'tx.execute("SELECT 1")',
        'tx.execute(f"SELECT n FROM {table}")',
        'LONG = """\n  WITH a AS (VALUES (1))\n  SELECT * FROM a"""',
        'tx.execute("INSERT INTO attempt (kind) VALUES (%s)")',
        'tx.execute("UPDATE notice SET read_at = now()")',
        'tx.execute("/* old */ DELETE FROM notice")',
    ],
)
def test_one_that_does_would_be_seen(line: str):
    assert queries_in(line) != []


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
