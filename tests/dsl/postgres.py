"""A PostgreSQL server of a test's own, with the users of deploy/postgres/users.sql and passwords that count."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.demo.servers.programs import find_programs
from tests.dsl.wait import until

USERS_SQL = Path(__file__).parents[2] / "deploy" / "postgres" / "users.sql"
PSQL = find_programs() / "psql"
MIGRATE_PASSWORD = "first-secret"
ROLES_PASSWORD = "second-secret"


@dataclass(frozen=True)
class Server:
    """Its superuser needs no password, the others do."""

    superuser_url: str

    def url(self, user: str, password: str) -> str:
        return psycopg.conninfo.make_conninfo(self.superuser_url, user=user, password=password)

    @property
    def migrate_url(self) -> str:
        return self.url("gateway_migrate", MIGRATE_PASSWORD)

    @property
    def roles_url(self) -> str:
        return self.url("gateway_roles", ROLES_PASSWORD)


@contextmanager
def server_with_users(binaries: Path | None, passwords: dict[str, str] | None = None) -> Iterator[Server]:
    """The embedded server, or that of `binaries`, as durable as in use."""
    used_passwords = passwords or {"MIGRATE_PASSWORD": MIGRATE_PASSWORD, "ROLES_PASSWORD": ROLES_PASSWORD}
    with tempfile.TemporaryDirectory(prefix="gateway-test-") as folder:
        # Not pytest's own folder: where we are root, the server's account could not get through.
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder), binaries=binaries) as postgres:
            make_users(postgres.url, used_passwords["MIGRATE_PASSWORD"], used_passwords["ROLES_PASSWORD"])
            _ask_for_passwords(postgres.url)
            yield Server(postgres.url)


def make_users(url: str, migrate_password: str, roles_password: str) -> None:
    """Run deploy/postgres/users.sql on this database, as its superuser."""
    variables = {"MIGRATE_PASSWORD": migrate_password, "ROLES_PASSWORD": roles_password}
    subprocess.run(
        [PSQL, "-qX", "-f", USERS_SQL, url], check=True, env=os.environ | variables, stdout=subprocess.DEVNULL
    )


@contextmanager
def own_database(place: Path | None = None) -> Iterator[EmbeddedPostgres]:
    """Yields a server that the test may stop, with its data in a new folder below `place`."""
    with tempfile.TemporaryDirectory(prefix="gateway-proof-", dir=place) as folder:
        Path(folder).chmod(0o755)  # where we are root, the server's account has to get through
        with EmbeddedPostgres(Path(folder)) as postgres:
            yield postgres


def kill_server(postgres: EmbeddedPostgres) -> None:
    """kill -9 of the postmaster and all of its children."""
    pid = postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # so that it has no more children than these
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for process_id in (pid, *map(int, children)):
        os.kill(process_id, signal.SIGKILL)
    until(lambda: postgres.pid is None)


def _ask_for_passwords(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        ((file,),) = admin.execute("SHOW hba_file").fetchall()
        ((superuser,),) = admin.execute("SELECT current_user").fetchall()
        Path(file).write_text(f"local all {superuser} trust\nlocal all all scram-sha-256\n")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("SELECT pg_sleep(0.2)")  # the postmaster reads it when the signal comes
