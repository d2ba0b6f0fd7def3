"""A small file system of a test's own, which it may fill to the last byte."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import require

_BLOCK = bytes(65_536)


class SmallDisk:
    """A mounted folder, and the ballast in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Write until the disk is full."""
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while file.write(_BLOCK):
                pass

    def free(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """Yields a disk in memory that is mounted until the block ends; it needs root's rights."""
    with tempfile.TemporaryDirectory(prefix="gateway-disk-") as folder:
        Path(folder).chmod(0o755)  # the database's account has to get through
        options = f"size={megabytes}m,mode=0755"
        is_mounted = (
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False).returncode == 0
        )
        require(is_mounted, "the right to mount a small disk (run it as root)")
        try:
            yield SmallDisk(Path(folder))
        finally:
            subprocess.run(["umount", folder], check=True)
