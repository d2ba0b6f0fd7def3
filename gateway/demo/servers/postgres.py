"""An embedded PostgreSQL: it starts and ends with the gateway, and listens on a Unix socket only."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote

from gateway.core.errors import Unavailable
from gateway.demo.servers.programs import (
    Account,
    find_programs,
    home_for,
    major_version,
    make_folder,
    server_account,
    socket_folder,
    usable_programs,
)
from gateway.roles.process import spawn, stop, without_interruption

START_TIMEOUT = 60.0  # recovery after a crash may take a while
STOP_TIMEOUT = 30.0
LEFTOVER_TIMEOUT = 10.0
LOG_MAX_BYTES = 10_000_000
NAME = "gateway"  # the database and its owner

_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # part of the socket's name
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "1GB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# PG* variables of the caller must not reach the server: PGPORT alone would move its socket.
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgres:
    """A server for one data folder, which it locks; if we are root, it runs as an account without rights."""

    # `durable=False` is for tests only: a power cut may destroy the data (a killed process does not).
    # It trusts every client of its socket, but only the server's account (and root) can enter the socket's folder.

    def __init__(self, data_dir: Path, *, binaries: Path | None = None, durable: bool = True) -> None:
        self._data_dir = data_dir
        self._binaries = binaries
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self.url = ""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> str:
        """Start the server, and create the database if there is none. Returns the URL to connect to."""
        if self.pid is not None:
            return self.url
        self.stop()  # after a crash of the server we still hold the lock
        try:
            self._start()
        except OSError as error:
            self.stop()
            path = error.filename or self._data_dir
            raise Unavailable(
                f"The data folder {self._data_dir} cannot be used ({path}: {error.strerror}). "
                "Choose another with GATEWAY_DATA_DIR=…"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server, which disconnects its clients, and unlock the data folder."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, STOP_TIMEOUT)
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _start(self) -> None:
        data_dir = self._data_dir = self._data_dir.resolve()
        data_dir.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(data_dir)
        home = home_for(data_dir)
        account = server_account(home)
        make_folder(home, account=account)
        cluster, unfinished = home / "cluster", home / "cluster.new"
        _wait_for_leftovers([cluster, unfinished])

        programs = usable_programs(self._binaries or find_programs(), account)
        with _open_log(data_dir / "postgres.log") as log:
            if not cluster.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                _initialise(programs, unfinished, account, log)
                unfinished.rename(cluster)  # so that a killed start leaves no incomplete cluster
            _require_version(programs, cluster)
            sockets = socket_folder(home, account, data_dir / "postgres.txt")
            # No server runs here (see above). These files would prevent a start if another process has the pid now.
            for stale_file in [cluster / "postmaster.pid", *sockets.glob(".s.PGSQL.*")]:
                stale_file.unlink(missing_ok=True)
            settings = {**_SETTINGS, "unix_socket_directories": str(sockets), "fsync": "on" if self._durable else "off"}
            argv: list[str | Path] = [
                programs / "postgres",
                "-D",
                cluster,
                *(f"--{name}={value}" for name, value in settings.items()),
            ]
            with without_interruption():
                self._process = spawn(
                    argv, user=account.uid, death_signal=signal.SIGINT, env=_ENV, stdout=log, cwd=home
                )  # SIGINT: a fast shutdown, which also disconnects clients
        _wait_until_ready(self._process, cluster, data_dir / "postgres.log")
        self.url = f"postgresql:///{NAME}?host={quote(str(sockets), safe='')}&port=5432&user={NAME}"
        _write(
            data_dir / "postgres.txt",
            f"The embedded PostgreSQL of this folder; to start afresh, stop the gateway and remove its data.\n"
            f"data: {cluster}\nsocket: {sockets}\nurl: {self.url}\n",
        )


def _lock(data_dir: Path) -> int:
    """Lock the data folder; the kernel unlocks it however this process ends."""
    lock = os.open(data_dir / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise Unavailable(
            f"{data_dir} is in use by another gateway (pid {holder}). "
            "Stop it first, or choose another folder with GATEWAY_DATA_DIR=…"
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _wait_for_leftovers(folders: list[Path]) -> None:
    """Wait for the server of a killed gateway, which may still be shutting down and writing."""
    deadline = time.monotonic() + LEFTOVER_TIMEOUT
    while pids := [pid for folder in folders for pid in _servers_in(folder)]:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"A PostgreSQL without a gateway (pid {min(pids)}) still uses {folders[0]}. "
                f"Stop it with: kill -INT {min(pids)}"
            )
        time.sleep(0.05)


def _servers_in(folder: Path) -> list[int]:
    """The Postgres processes with this working folder, which are all of a server's; a pid file may be outdated."""
    pids = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder and (entry / "comm").read_text().startswith("postgres"):
                pids.append(int(entry.name))
        except OSError:
            continue  # it has ended, or is another user's
    return pids


def _initialise(programs: Path, cluster: Path, account: Account, log: IO[bytes]) -> None:
    options = ["-U", NAME, "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject"]
    _run([programs / "initdb", "-D", cluster, *options], b"", cluster, account, log)
    # In single-user mode, so that a cluster under its final name always has the database.
    single: list[str | Path] = [programs / "postgres", "--single", "-D", cluster, "template1"]
    _run(single, f"CREATE DATABASE {NAME};\n".encode(), cluster, account, log)


def _run(argv: Sequence[str | Path], input_text: bytes, cluster: Path, account: Account, log: IO[bytes]) -> None:
    with tempfile.TemporaryFile() as stdin:
        stdin.write(input_text)
        stdin.seek(0)
        child = spawn(
            argv,
            user=account.uid,
            death_signal=signal.SIGTERM,
            env=_ENV,
            stdin=stdin,
            stdout=log,
            cwd=cluster.parent,
        )
        try:
            code = child.wait(START_TIMEOUT)
        finally:
            stop(child, signal.SIGTERM, STOP_TIMEOUT)
    if code != 0:
        raise Unavailable(f"PostgreSQL could not make its data folder:\n{_last_lines(Path(log.name))}")


def _require_version(programs: Path, cluster: Path) -> None:
    made_by, ours = int((cluster / "PG_VERSION").read_text()), major_version(programs)
    if made_by != ours:
        raise Unavailable(
            f"The data in {cluster} was made by PostgreSQL {made_by}, and this is {ours}. "
            f"Use {made_by}, or another folder with GATEWAY_DATA_DIR=…"
        )


def _wait_until_ready(process: subprocess.Popen[bytes], cluster: Path, log: Path) -> None:
    """Wait until the server's pid file says that it accepts connections, as pg_ctl does."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"PostgreSQL did not start:\n{_last_lines(log)}")
        time.sleep(0.01)


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_MAX_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab")


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "w") as file:
        file.write(text)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])
