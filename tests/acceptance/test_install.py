"""What is built installs where there is only Python: the wheel brings the pages, and its commands run.

The wheel is really built, from the files that the Dockerfile copies and no others, with neither Node nor npm on the
path. It is installed into an empty environment without resolving its dependencies anew, which would take minutes: they
come from this environment through a .pth file, and what the wheel asks for is compared with what is there.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from dataclasses import dataclass
from importlib.metadata import PathDistribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gateway.roles.process import free_port, spawn
from tests.dsl.compose import ROOT
from tests.dsl.forms import form
from tests.dsl.wait import until

BUILD_S = 600  # npm ci and vite build; seconds on a machine that does nothing else


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it."""

    wheel: Path
    folder: Path

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        argv = [str(self.folder / "bin" / command[0]), *command[1:]]
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=120, env=self.environment() | env, cwd=self.folder
        )

    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.folder / 'bin'}", "HOME": str(self.folder)}


@pytest.fixture(scope="module")
def bare_path(tmp_path_factory) -> str:
    """A PATH with the tools of a plain machine, and neither node nor npm."""
    folder = tmp_path_factory.mktemp("bin")
    for tool in ("sh", "env", "uname", "sed", "dirname", "basename", "readlink", "cat"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    assert shutil.which("npm", path=str(folder)) is None
    assert shutil.which("node", path=str(folder)) is None
    return str(folder)


@pytest.fixture(scope="module")
def installed(tmp_path_factory, bare_path) -> Installed:
    folder = tmp_path_factory.mktemp("install")
    source = folder / "source"
    source.mkdir()
    # The small form takes the pages that are built here, and so needs no Node.
    skip = shutil.ignore_patterns("node_modules", "__pycache__", *form([], ["dist"]))
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        for name in line.split()[1:-1] if line.startswith("COPY ") and "--from" not in line else []:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=skip)
            else:
                shutil.copy(ROOT / name, source)
    # Isolated, so that hatch_build.py has to ask for Node itself.
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)],
        check=True,
        timeout=BUILD_S,
        env=os.environ | {"PATH": bare_path},
    )
    (wheel,) = folder.glob("*.whl")
    # Not from this environment's own interpreter: that one is itself part of an environment.
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    subprocess.run([base, "-m", "venv", str(folder / "venv")], check=True, timeout=120)
    python = folder / "venv" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, timeout=120
    )
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(wheel, folder / "venv")


def test_the_wheel_brings_the_built_pages_and_no_sources(installed):
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert "gateway/web/dist/index.html" in names
    assert any(name.startswith("gateway/web/dist/assets/") and name.endswith(".js") for name in names)
    assert not [name for name in names if "node_modules" in name or name.startswith(("gateway/web/src", "tests"))]
    assert not [name for name in names if name.endswith((".svelte", ".ts"))]


def test_what_the_wheel_asks_for_is_what_is_tested_here(installed):
    (info,) = installed.folder.glob("lib/python*/site-packages/product_support_gateway-*.dist-info")
    wanted = [Requirement(line) for line in PathDistribution(info).requires or []]
    always = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    assert len(always) >= 18
    for each in always:
        assert each.specifier.contains(version(each.name)), each


def test_the_commands_run_from_the_wheel(installed):
    where = installed.run("python", "-c", "import gateway; print(gateway.__file__)").stdout
    assert where.startswith(str(installed.folder)), "not the sources of this checkout"
    told = installed.run("gateway", "--help")
    assert (told.returncode, "health" in told.stdout) == (0, True), told.stderr
    told = installed.run("device-sim", "--help")
    assert (told.returncode, "fleet" in told.stdout) == (0, True), told.stderr


def test_the_check_runs_from_the_wheel_where_there_is_no_server(installed):
    told = installed.run("gateway", "check", "--json", GATEWAY_MQTT_URL=f"mqtt://127.0.0.1:{free_port()}")
    findings = {each["name"]: each["state"] for each in json.loads(told.stdout)["findings"]}
    assert (told.returncode, told.stderr) == (1, "")
    assert (findings["database"], findings["broker"]) == ("problem", "problem")


def test_the_pages_are_served_from_the_wheel(installed, url, tmp_path):
    port = free_port()
    env = installed.environment() | {"GATEWAY_DATABASE_URL": url, "GATEWAY_HTTP_PORT": str(port)}
    with (tmp_path / "api.log").open("wb") as log:
        api = spawn(
            [installed.folder / "bin" / "gateway", "serve", "--role", "api"],
            death_signal=signal.SIGKILL,
            env=env,
            stdout=log,
        )
    try:
        page = until(lambda: fetch(f"http://127.0.0.1:{port}/"), within=60, what=(tmp_path / "api.log").read_text())
        built = zipfile.ZipFile(installed.wheel).read("gateway/web/dist/index.html")
        assert page == built
    finally:
        api.kill()
        api.wait(10)


def fetch(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.read()
    except OSError:
        return b""
