"""Every link in the README and in docs/ leads somewhere, and what the pages name is there: settings and their defaults,
files, commands, paths of the API, metrics, events, packages. The console has words for what the docs explain.
"""

import importlib.util
import json
import os
import re
import shlex
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from device_sim import arguments
from gateway.cli import _parser
from gateway.config import CONFIG_VARIABLE, SECRETS, Settings, variable
from gateway.notify.send.verdict import Status
from gateway.text import words

ROOT = Path(__file__).parents[2]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OF_TODAY = [paper for paper in PAPERS if paper.parent.name != "adr" and paper.name != "CHANGELOG.md"]
"""Decisions and changes name what there was in their time."""
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PROGRAM = re.compile(r"^(?:docker compose run --rm (?:-v \S+ )?api )?(?:\.venv/bin/)?(gateway|device-sim) (.+)$")
EVENT = re.compile(
    r"`((?:account|alarm|campaign|delivery|event|mail|notice|owners|phone|product|quarantine|receipt|units?)\.[a-z_]+)`"
)
NAMED_FILE = re.compile(r"`(\w[\w./-]*(?:\.(?:css|html|lock|py|sql|toml|ts|yaml|yml)|/))`")
SOURCES = ("bench", "deploy", "device_sim", "docs", "gateway", "schemas", "tests", "tools")
MADE = {"node_modules", "dist", "__pycache__"}
DEFAULT = re.compile(r"`(GATEWAY_\w+)`\s\(([\d,.]+)(?:\s(s|min|h|days))?\)")
SECONDS = {"s": 1, "min": 60, "h": 3600, "days": 86400}
DATABASE_ROLES = {"gateway_owner", "gateway_roles", "gateway_migrate"}

papers = pytest.mark.parametrize("paper", OF_TODAY, ids=lambda paper: str(paper.relative_to(ROOT)))


def read(paper):
    """A page without its blocks of code."""
    return CODE.sub("", paper.read_text("utf-8"))


def in_sentences(paper):
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", read(paper))


def in_blocks(paper):
    """The lines of the blocks for a shell."""
    text = "".join(SHELL.findall(paper.read_text("utf-8"))).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines()]


@cache
def sources():
    """Every file and folder of the checkout that somebody wrote, as text with a slash before it."""
    found = {f"/{path.name}" for path in ROOT.iterdir()}
    for top in SOURCES:
        for folder, folders, names in os.walk(ROOT / top):
            folders[:] = [name for name in folders if name not in MADE]
            found |= {f"/{(Path(folder) / name).relative_to(ROOT)}" for name in (*folders, *names)}
    return found


@cache
def code(top):
    """The Python and the SQL in a folder of the checkout."""
    named = (name for name in sorted(sources()) if name.startswith(f"/{top}/") and name.endswith((".py", ".sql")))
    return "\n".join((ROOT / name[1:]).read_text("utf-8") for name in named)


def anchors(paper):
    """How a hosting site names the headings of a page."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(read(paper))}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_leads_somewhere(paper):
    for link in LINK.findall(read(paper)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (paper.parent / path).resolve() if path else paper
        assert target.exists(), f"{link}: no such file"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading in {target.name}"


def test_every_page_of_the_docs_is_named_by_the_readme():
    readme = read(ROOT / "README.md")
    assert [paper.name for paper in sorted(ROOT.glob("docs/*.md")) if f"](docs/{paper.name}" not in readme] == []


@papers
def test_every_setting_that_a_page_names_is_one(paper):
    known = {variable(name) for name in Settings.model_fields} | {f"{variable(name)}_FILE" for name in SECRETS}
    known |= {CONFIG_VARIABLE, "GATEWAY_NO_WEB"}
    known |= set(re.findall(r"\bGATEWAY_TEST_\w+", code("tests")))
    for name in re.findall(r"\bGATEWAY_\w+", paper.read_text("utf-8")):
        assert name in known or (name.endswith("_") and any(each.startswith(name) for each in known)), name


def test_a_number_in_brackets_behind_a_setting_is_its_default():
    told = [(paper.name, *found) for paper in OF_TODAY for found in DEFAULT.findall(read(paper))]
    assert len(told) > 10
    for page, name, number, unit in told:
        default = Settings.model_fields[name.removeprefix("GATEWAY_").lower()].default
        value = default / timedelta(seconds=1) if isinstance(default, timedelta) else default
        assert float(number.replace(",", "")) * SECONDS.get(unit, 1) == value, (page, name)


@papers
def test_every_file_that_a_page_names_is_there(paper):
    named = {name.rstrip("/") for name in NAMED_FILE.findall(read(paper))}
    assert {name for name in named if not any(path.endswith(f"/{name}") for path in sources())} == set()


def run_parser(line):
    """Have the program that a line begins with read the rest; whether it begins with one of ours."""
    if found := PROGRAM.match(line):
        words = shlex.split(re.sub(r"\$\{\w+:-(\w+)\}", r"\1", found[2]).replace(" …", ""), comments=True)
        (_parser().parse_args if found[1] == "gateway" else arguments.parse)(words)
    return found is not None


def test_every_command_in_a_block_is_read_by_its_program():
    assert sum(run_parser(line) for paper in OF_TODAY for line in in_blocks(paper)) > 40


@papers
def test_a_command_in_a_sentence_is_one_that_may_lack_what_it_needs(paper, capsys):
    refused = []
    for line in in_sentences(paper):
        try:
            run_parser(line.replace("COMMAND ", "run "))
        except SystemExit as end:
            said = capsys.readouterr().err
            if end.code and "the following arguments are required" not in said:
                refused.append(f"{line}: {said}")
    assert refused == []


@papers
def test_every_module_and_every_goal_that_a_page_names_is_there(paper):
    goals = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in (*in_sentences(paper), *in_blocks(paper)):
        for module in re.findall(r"python -m ([\w.]+)", line):
            assert importlib.util.find_spec(module), module
        for goal in re.findall(r"^make (\w+)", line):
            assert goal in goals, goal


@papers
def test_every_path_of_the_api_that_a_page_names_is_in_its_document(paper):
    paths = json.loads((ROOT / "schemas" / "openapi.json").read_text("utf-8"))["paths"]
    for line in (*in_sentences(paper), *in_blocks(paper)):
        for method, path in re.findall(r"(?:\b(GET|POST|PUT|PATCH|DELETE) )?(?<![\w.])(/api/[\w/{}-]*)", line):
            if path.endswith("/"):
                assert any(each.startswith(path) for each in paths), path
                continue
            like = [each for each in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path)]
            assert like, path
            assert not method or method.lower() in paths[like[0]], f"{method} {path}"


@papers
def test_every_metric_that_a_page_names_is_explained_to_operators(paper):
    """That page's own names are compared with the code by tests/unit/test_metrics_are_told.py."""
    told = set(re.findall(r"`(gateway_\w+)", read(ROOT / "docs" / "operating.md")))
    assert set(re.findall(r"`(gateway_\w+)", read(paper))) <= told | DATABASE_ROLES


def test_every_kind_of_event_that_a_page_names_is_written_somewhere():
    written = set(re.findall(r'"([a-z]+\.[a-z_]+)"', code("gateway")))
    written |= {f"delivery.{status}" for status in get_args(Status)}
    named = {kind for paper in OF_TODAY for kind in EVENT.findall(read(paper))}
    assert "alarm.raised" in named
    assert named <= written


def test_every_package_stands_in_the_tree_and_in_the_readme_and_nothing_else():
    packages = {path.parent.name for path in ROOT.glob("gateway/*/__init__.py")} | {"web"}
    tree = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("gateway/\n")[2].partition("device_sim/")[0]
    names = re.findall(r"^  ((?:\w+/ ?)+) ", tree, re.MULTILINE)
    assert {name for line in names for name in re.findall(r"\w+", line)} == packages
    table = (ROOT / "README.md").read_text("utf-8").partition("## Find your way")[2]
    assert set(re.findall(r"`gateway/(\w+)/`", table)) == packages


def test_the_tokens_of_the_pages_are_those_of_the_stylesheet():
    css = (ROOT / "gateway/web/src/app.css").read_text("utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    rows = re.findall(r"^\| (`--.*?) \| (#.*?) \| (#.*?) \|", (ROOT / "docs/ui.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 10
    for names, *told in [row for row in rows if "--maker" not in "".join(row)]:
        for colours, text in zip(told, (light, dark), strict=True):
            values = dict(re.findall(r"(--[\w-]+): (#\w+);", text.partition("@media")[0]))
            assert [values[name] for name in re.findall(r"--[\w-]+", names)] == re.findall(r"#\w+", colours), names


def test_a_restore_on_timescaledb_stands_between_the_two_calls_of_the_extension():
    """Without them a chunk of the columnstore loses its unique index, and takes readings twice from then on."""
    backups = (ROOT / "docs" / "operating.md").read_text("utf-8").partition("\n## Backups\n")[2].partition("\n## ")[0]
    steps = [
        re.findall(r"timescaledb_pre_restore|pg_restore -d|timescaledb_post_restore", b) for b in CODE.findall(backups)
    ]
    assert ["timescaledb_pre_restore", "pg_restore -d", "timescaledb_post_restore"] in steps


def test_the_console_has_words_for_every_reason_that_the_docs_explain():
    explained = read(ROOT / "docs" / "architecture.md").partition("| Reason | What to mend |")[2].partition("\n\n")[0]
    reasons = set(re.findall(r"^\| `(\w+)` \|", explained, re.MULTILINE))
    assert "unknown_unit" in reasons
    assert [reason for reason in reasons if f"console-reason-{reason}" not in words("en")] == []
    assert [reason for reason in reasons if f"console-mend-{reason}" not in words("en")] == []
