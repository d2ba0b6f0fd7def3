"""Nothing outside notify/channels names a channel, but for what stays: the web's pictures, the demo, the old counts."""

import ast
from pathlib import Path

import pytest

import gateway
from gateway.notify.channels.registry import CHANNELS
from gateway.text import Speech
from gateway.text.catalog import codes

ROOT = Path(gateway.__file__).parent
FOLDER = ROOT / "notify" / "channels"
ADDRESS = {"accounts", "registrations", "imports", "core", "cli"}
"""Where `email` is the address of a person or of the maker, and no channel."""
STAY = {
    "demo": "plays a mailbox and a phone",
    "store/migrations": "were written before",
    "campaigns": "counts by_email and by_push for the page of a draft",
    "api/public": "accounts and the demo's outbox: addresses",
    "api/pages": "pictures and words by channel",
    "api/staff/people.py": "the address of a person",
    "support/search/service.py": "the address of a person",
    "api/models.py": "the maker's address",
    "notify/addresses.py": "an address that gets no mail any more",
    "notify/bulletin_texts.py": "the maker's address",
    "config.py": "the maker's address",
}


def strings(file: Path) -> set[str]:
    """The strings of a module but for its docstrings; keyword arguments and names are none."""
    return {
        node.value
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def elsewhere() -> list[Path]:
    files = [file for file in ROOT.rglob("*.py") if FOLDER not in file.parents and "node_modules" not in file.parts]
    return [file for file in files if file.relative_to(ROOT).parts[0] not in ADDRESS]


def stays(file: Path) -> bool:
    return any(str(file.relative_to(ROOT)).startswith(part) for part in STAY)


def test_no_module_names_a_channel():
    named = {str(file.relative_to(ROOT)) for file in elsewhere() if not stays(file) and strings(file) & set(CHANNELS)}
    assert named == set()


@pytest.mark.parametrize("part", STAY)
def test_what_is_left_out_of_this_still_names_one(part):
    files = list((ROOT / part).rglob("*")) if (ROOT / part).is_dir() else [ROOT / part]
    words = [file.read_text("utf-8") for file in files if file.suffix in {".py", ".sql"}]
    assert any(name in text for text in words for name in CHANNELS)


def test_each_channel_is_a_folder_of_its_name_and_of_the_same_files():
    folders = {folder.name for folder in FOLDER.iterdir() if (folder / "__init__.py").exists()}
    assert folders == set(CHANNELS)
    for name in folders:
        files = {file.name for file in (FOLDER / name).iterdir()}
        assert files >= {"channel.py", "sender.py", "settings.py", "check.py", "queries.sql"}


def test_the_page_says_what_each_channel_can_do():
    page = (ROOT.parent / "docs" / "extend-channels.md").read_text("utf-8")
    for name, kind in CHANNELS.items():
        can = kind.abilities
        shown = ["yes" if each else "no" for each in (can.confirms, can.replaces, can.rich_text)]
        assert f"| `{name}` | {' | '.join(shown)} | {can.length or 'any'} |" in page
        for code in codes():
            assert f"channel-{name}" in Speech(code)
            assert f"channel-{name}-missing" in Speech(code)
