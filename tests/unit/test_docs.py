"""Every link in the README and in docs/ leads somewhere; and the console has words for what the docs explain."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def read(paper):
    """A page without its blocks of code."""
    return CODE.sub("", paper.read_text("utf-8"))


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
    words = (ROOT / "gateway/web/src/console/i18n/en.ts").read_text("utf-8")
    assert "unknown_unit" in reasons
    assert reasons - set(re.findall(r'"reason\.(\w+)"', words)) == set()
    assert reasons - set(re.findall(r'"mend\.(\w+)"', words)) == set()
