"""CPU time and memory of processes, from /proc."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from gateway.store import Connection

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, all threads."""
    return sum(_times(Path(f"/proc/{pid}/stat"))[:2])


def main_thread_cpu_s(pid: int) -> float:
    """User and system time of a process's first thread so far."""
    return sum(_times(Path(f"/proc/{pid}/task/{pid}/stat"))[:2])


def family_cpu_s(pid: int) -> float:
    """User and system time of a process, of its children, and of those that ended before."""
    children_s = _sum_of(_children(pid), cpu_s)
    return children_s + sum(_times(Path(f"/proc/{pid}/stat")))  # read last: it contains ended children


def family_mb(pid: int) -> float:
    """Memory of a process and its children; shared memory is counted once."""
    return _sum_of([pid, *_children(pid)], _proportional_kb) / 1024


def postmaster(db: Connection) -> int:
    """The process id of the server's parent process, on this machine."""
    row = db.execute("SELECT pg_backend_pid() AS pid").fetchone()
    assert row  # noqa: S101 - a SELECT without FROM returns a row
    return int(_fields(Path(f"/proc/{row['pid']}/stat"))[1])


def _sum_of(pids: Iterable[int], measure: Callable[[int], float]) -> float:
    """The sum of a measure over the processes that still run."""
    total = 0.0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            total += measure(pid)
    return total


def _times(stat: Path) -> list[float]:
    """User and system time, and both of ended children, in seconds."""
    return [int(field) / _TICKS_PER_S for field in _fields(stat)[11:15]]


def _fields(stat: Path) -> list[str]:
    """The fields after the name, which may contain spaces."""
    return stat.read_text().rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _proportional_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
