"""Installs the tiny checkout, in place of hatchling; waits where HOLD says, until a file `go` is there."""

import os
import time
import zipfile
from pathlib import Path


def build_editable(folder, config_settings=None, metadata_directory=None):
    """What pip asks a build system for."""
    hold("packages")
    return write_wheel(Path(folder), "tiny").name


def write_wheel(folder, name):
    """A package with one module that is empty."""
    path = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.dist-info/RECORD", "")
    return path


def hold(where):
    """Wait here, if it is here that the test wants to look."""
    while os.environ.get("HOLD") == where and not Path("go").exists():
        Path("held").touch()
        time.sleep(0.02)
