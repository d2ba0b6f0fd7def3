"""What processes cost: CPU time and memory, as the kernel counts them in /proc."""

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
    living = _sum_of(_children(pid), cpu_s)
    return living + sum(_times(Path(f"/proc/{pid}/stat")))  # read last: who ended meanwhile is in it


def family_mb(pid: int) -> float:
    """Memory of a process and its children; of what several share, each has its part."""
    return _sum_of([pid, *_children(pid)], _proportional_kb) / 1024


def postmaster(db: Connection) -> int:
    """The process that is the parent of all of the server's others, on this machine."""
    row = db.execute("SELECT pg_backend_pid() AS pid").fetchone()
    assert row  # noqa: S101 - a SELECT without FROM answers one row
    return int(_fields(Path(f"/proc/{row['pid']}/stat"))[1])


def _sum_of(pids: Iterable[int], what: Callable[[int], float]) -> float:
    """Of the processes that are still there."""
    total = 0.0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            total += what(pid)
    return total


def _times(stat: Path) -> list[float]:
    """User and system time, and both of the children that were waited for, in seconds."""
    return [int(field) / _TICKS_PER_S for field in _fields(stat)[11:15]]


def _fields(stat: Path) -> list[str]:
    """What follows the name, which may hold spaces."""
    return stat.read_text().rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _proportional_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
