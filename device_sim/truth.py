"""The ground truth: a file of JSON lines with the faults that units had, and from when to when."""

# A line is written when a fault begins (`"to": null`) and another one with the same `id` when it ends; the last line of
# an id is valid. The file is only appended to, so it stays right after a crash, and several runs may share it.

import json
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from device_sim.errors import SimError


class Truth(AbstractContextManager["Truth"]):
    """Writes the lines; without a path it writes nothing."""

    def __init__(self, path: Path | None) -> None:
        try:
            self._file = path.open("a", encoding="utf-8") if path else None
        except OSError as error:
            raise SimError(f"cannot write the ground truth to {path}: {error.strerror}") from error

    def record(self, identity: str, unit: str, fault: str, begin: str, end: str | None, **more: str) -> None:
        """Append one line and flush it at once; `more` are further fields after the common ones."""
        if self._file:
            line = {"id": identity, "unit": unit, "fault": fault, "from": begin, "to": end} | more
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
