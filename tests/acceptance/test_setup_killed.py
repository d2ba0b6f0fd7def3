"""Set-up that is killed in the middle is simply started again; a checkout of a few lines stands for ours."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data.tiny_checkout.backend import write_wheel
from tests.dsl.wait import until

ROOT = Path(__file__).parents[2]
ENOUGH_S = 180
"""Seconds for a step; a quiet machine needs 5."""


class Checkout:
    """A checkout with one package in its lock file, which waits where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "tests" / "data" / "tiny_checkout", folder, dirs_exist_ok=True)
        (folder / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "setup.py", folder / "tools")
        digest = hashlib.sha256(write_wheel(folder, "one").read_bytes()).hexdigest()
        (folder / "requirements-run.lock").write_text(f"one==1 --hash=sha256:{digest}\n")

    def start(self, hold: str = "") -> subprocess.Popen[str]:
        env = os.environ | {"HOLD": hold, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
        return subprocess.Popen(
            [Path(sys.base_prefix) / "bin" / "python3", "tools/setup.py", "running"],
            cwd=self.folder,
            env=env | {"PIP_FIND_LINKS": str(self.folder), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def held(self, run: subprocess.Popen[str]) -> None:
        """Wait until it waits where it was told to."""
        until(lambda: self.there("held") or run.poll() is not None, within=ENOUGH_S)
        assert run.poll() is None, run.communicate()[0]
        (self.folder / "held").unlink()

    def there(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def checkout(tmp_path):
    yield Checkout(tmp_path)
    (tmp_path / "go").touch()  # for an orphan of a test that failed


def kill(run):
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def finish(run):
    output = run.communicate(timeout=ENOUGH_S)[0]
    assert run.returncode == 0, output
    return output


def test_after_a_kill_at_any_step_the_same_command_comes_to_the_end(checkout):
    run = checkout.start()
    until(lambda: checkout.there(".venv/pyvenv.cfg"), within=ENOUGH_S)
    kill(run)
    assert not checkout.there(".venv/.installed")

    run = checkout.start(hold="packages")
    checkout.held(run)
    kill(run)
    assert checkout.there(".venv/bin/python")
    assert not checkout.there(".venv/.installed"), "half of the packages is not a whole environment"

    run = checkout.start(hold="pages")
    checkout.held(run)
    run.kill()  # and not what it has started
    run.communicate()
    again = checkout.start()
    assert again.stdout.readline() == "Another command is setting this checkout up; waiting for it…\n"
    assert not checkout.there("pages")
    (checkout.folder / "go").touch()
    assert finish(again) == "", "the one that was left alone has made the rest"
    assert checkout.there("pages")

    assert finish(checkout.start()) == ""
    subprocess.run([checkout.folder / ".venv/bin/python", "-c", "import one, tiny"], check=True, cwd="/")


def test_what_fails_is_shown_in_the_words_of_pip_and_leaves_nothing_that_looks_whole(checkout):
    lock = checkout.folder / "requirements-run.lock"
    lock.write_text(f"one==1 --hash=sha256:{'0' * 64}\n")
    run = checkout.start()
    output = run.communicate(timeout=ENOUGH_S)[0]
    assert run.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in output
    assert "run the same command" in output
    assert "Traceback" not in output
    assert not checkout.there(".venv/.installed")
