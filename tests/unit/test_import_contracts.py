"""The import contracts bite: a module that breaks one fails the build."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path):
    """The sources and the contracts, to be broken."""
    for package in ("gateway", "device_sim"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(folder):
    # The folder itself comes first on the path, before the installed package.
    code = (
        "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("gateway/rules/evaluator.py", "import gateway.notify.model", "Imports point down only"),
        ("gateway/rules/evaluator.py", "import gateway.m2m.message", "Imports point down only"),
        ("gateway/registrations/service.py", "import paho.mqtt.client", "Only m2m speaks MQTT"),
        ("gateway/notify/service.py", "import psycopg", "Only store speaks to PostgreSQL"),
        ("gateway/notify/service.py", "import fastapi", "Only api and roles know the web framework"),
        (
            "gateway/notify/text.py",
            "from gateway.rules.kinds.threshold import Threshold",
            "Only the registry of kinds knows a kind of condition",
        ),
        ("device_sim/fleet.py", "import gateway.config", "The simulator knows the gateway only by MQTT and HTTP"),
        ("gateway/stray.py", "", "Imports point down only"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(copy, module, line, contract):
    file = copy / module
    file.write_text((file.read_text() if file.exists() else "") + f"\n{line}\n")
    code, told = broken_contracts(copy)
    assert code == 1
    assert f"{contract} BROKEN" in told


def test_the_sources_as_they_are_keep_every_contract(copy):
    code, told = broken_contracts(copy)
    assert (code, "0 broken" in told) == (0, True), told
