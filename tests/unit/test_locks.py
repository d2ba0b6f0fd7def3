"""Advisory locks: one number for one meaning, and one place that says which."""

import re
from pathlib import Path

import gateway
from gateway.store.locks import Lock

ROOT = Path(gateway.__file__).parent
SOURCES = [file for file in ROOT.rglob("*.*") if file.suffix in {".py", ".sql"} and "web" not in file.parts]
LIST = ROOT / "store" / "locks.py"
CALL = re.compile(r"pg_(?:try_)?advisory_\w+\s*\(([^;]*?)\);")
NUMBER = re.compile(r"\b7_?402_?\d{3}\b")


def numbers_of(text: str) -> list[int]:
    return [int(number.replace("_", "")) for number in NUMBER.findall(text)]


def locked_by_migrations() -> list[int]:
    texts = [file.read_text("utf-8") for file in SOURCES if file.parent.name == "migrations"]
    return [number for text in texts for call in CALL.findall(text) for number in numbers_of(call)]


def test_only_the_list_and_migrations_write_a_number():
    writers = {file for file in SOURCES if NUMBER.search(file.read_text("utf-8"))}
    assert LIST in writers
    assert [file for file in writers - {LIST} if file.parent.name != "migrations"] == []


def test_only_the_store_calls_the_functions():
    """So no number of another form can be locked elsewhere."""
    callers = {file for file in SOURCES if re.search(r"pg_\w*advisory_", file.read_text("utf-8"))}
    assert {file for file in callers if file.parent.name != "migrations"} == {ROOT / "store" / "queries.sql"}


def test_every_lock_is_used_by_the_code_or_by_one_place_of_the_migrations_and_not_by_both():
    code = "".join(file.read_text("utf-8") for file in SOURCES if file.suffix == ".py" and file != LIST)
    by_code = {lock for lock in Lock if re.search(rf"\bLock\.{lock.name}\b", code)}
    by_migrations = locked_by_migrations()
    assert sorted([*by_code, *by_migrations]) == sorted(Lock)


def test_a_number_of_a_version_before_is_not_used_again():
    assert 7_402_203 not in set(Lock)


def test_every_lock_says_what_it_is_for():
    text = LIST.read_text("utf-8")
    assert all(re.search(rf'^    {lock.name} = [\d_]+\n    """[A-Z].*\."""$', text, re.MULTILINE) for lock in Lock)
