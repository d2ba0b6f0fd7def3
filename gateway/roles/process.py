"""Child processes that end with this one: the kernel signals them when this process ends, even by kill -9."""

import ctypes
import errno
import os
import pwd
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gateway.core.errors import Unavailable

if TYPE_CHECKING:
    from types import FrameType

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: between fork and exec a child should only call what is already there.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    user: int | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in its own session; it gets `death_signal` when this process ends for whatever reason."""
    if threading.current_thread() is not threading.main_thread():
        # The kernel sends the signal when the creating THREAD ends, so a pool's thread would kill the child early.
        raise RuntimeError("spawn() works from the main thread only")
    uid, gid = _account(user)
    other = uid is not None and uid != os.geteuid()
    return subprocess.Popen(
        list(argv),
        stdin=stdin,
        stdout=stdout,
        stderr=None if stdout is None else subprocess.STDOUT,
        cwd=cwd,
        env=env,
        # Keeps the terminal's Ctrl-C away from it: only we get that, and stop the children in order.
        start_new_session=True,
        user=uid if other else None,
        group=gid if other else None,
        extra_groups=[] if other else None,
        # Runs after the change of user: that change clears the death signal.
        preexec_fn=_before_exec(death_signal, os.getpid()),  # noqa: PLW1509 - it makes system calls and nothing else
    )


@contextmanager
def without_interruption() -> Iterator[None]:
    """Put SIGINT and SIGTERM off until the block is done: a child that has started must be known to who stops it."""
    arrived: list[int] = []

    def note(number: int, _frame: "FrameType | None") -> None:
        arrived.append(number)

    before = {sig: signal.signal(sig, note) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sig, handler in before.items():
            signal.signal(sig, handler)
        for number in arrived:
            signal.raise_signal(number)


def stop(process: subprocess.Popen[bytes], sig: signal.Signals, timeout: float) -> int:
    """Signal the child, wait, and kill its process group at the timeout; the exit code comes back."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def free_port() -> int:
    """A loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free_port(host: str, port: int, setting: str) -> None:
    """Raise Unavailable, naming the setting to change, where a server could not listen on this port."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            # As servers do: connections that linger in TIME_WAIT after a restart are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            # Two sockets may be bound with SO_REUSEADDR; only one may listen.
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} is taken by another program. Stop it, or choose another with {setting}=…"
        else:
            message = f"Cannot listen on {host} port {port} ({error.strerror}). Choose another with {setting}=…"
        raise Unavailable(message) from error


def _before_exec(death_signal: signal.Signals, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        # A script's background jobs start with SIGINT ignored and pass that on; then Postgres, for one, could miss
        # a stop that comes before it has installed its handlers.
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if _LIBC is not None:
            if _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
            if os.getppid() != parent:  # it died before the line above, and will not be seen dying
                os._exit(1)

    return prepare


def _account(user: int | str | None) -> tuple[int | None, int | None]:
    if user is None:
        return None, None
    try:
        entry = pwd.getpwnam(user) if isinstance(user, str) else pwd.getpwuid(user)
    except KeyError:
        if isinstance(user, str):
            raise
        return user, user
    return entry.pw_uid, entry.pw_gid
