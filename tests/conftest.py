"""The real servers that the tests run against, and an empty database for each test.

`make test` runs several workers, for much of their time is waiting. Each has its own servers and ports; on a given
server each has its own databases. The browser's tests come after them, and look at one demo.

A test runs on the embedded database, and with Debian's broker if it needs one. Where SQL, drivers or brokers differ it
is marked `both`, and runs as the demo does (embedded database and broker) and as Debian installs it. The proofs leave
nothing out, and with GATEWAY_TEST_LONG=1 no test does.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from gateway.demo.servers.broker import EmbeddedBroker
from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.roles.process import spawn
from gateway.store import Connection, connect
from gateway.store.migrate import migrate
from tests.dsl.fcm import Fcm, fcm_server
from tests.dsl.forms import LONG
from tests.dsl.ports import free_port
from tests.dsl.smtp import MailServer, mail_server

DEBIAN = Path("/usr/lib/postgresql/15/bin")
MOSQUITTO = next((path for path in map(Path, ("/usr/sbin/mosquitto", "/usr/bin/mosquitto")) if path.exists()), None)
GIVEN_SERVER = os.environ.get("GATEWAY_TEST_DATABASE_URL")

DATABASES = ("embedded-18", "debian-15")
USUAL = ("embedded-18", "mosquitto")
"""The database and the broker of a test that is not marked `both`."""
PAIRS = (("embedded-18", "embedded"), ("debian-15", "mosquitto"))
"""Those of one that is."""

PROOFS = Path(__file__).parent / "proof"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
ROOM = 500_000_000
"""Bytes; the server of each worker takes 80 MB of it."""


def pytest_collection_modifyitems(config, items):
    """Leave out what a test need not run on, and what only TimescaleDB shows where the server has it not."""
    has_timescale = any(item.get_closest_marker("timescale") for item in items) and _given_server_has_timescale()
    left_out = [
        item for item in items if not _runs_here(item) or (item.get_closest_marker("timescale") and not has_timescale)
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _runs_here(item: pytest.Item) -> bool:
    """Whether a test runs on the database and the broker that it is parametrized with, if it is."""
    if LONG or item.path.is_relative_to(PROOFS):
        return True
    params = item.callspec.params if hasattr(item, "callspec") else {}
    database, broker = params.get("server", params.get("binaries")), params.get("broker_port")
    if database is None:
        return True
    pairs = PAIRS if item.get_closest_marker("both") else (USUAL,)
    return any(database in (usual, "given") and broker in (None, other) for usual, other in pairs)


def _given_server_has_timescale() -> bool:
    if not GIVEN_SERVER:
        return False  # neither the embedded server nor Debian's own packages bring it
    with psycopg.connect(GIVEN_SERVER) as admin:
        return admin.execute("SELECT FROM pg_available_extensions WHERE name = 'timescaledb'").rowcount == 1


def require(tool: object, name: str) -> None:
    """Skip without a tool on a developer's machine; with CI=true that is a failure."""
    if tool:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing, and with CI=true nothing is skipped")
    pytest.skip(f"{name} is missing")


@pytest.fixture(scope="session", params=DATABASES)
def binaries(request) -> Path | None:
    """The programs of a server that a test starts itself: none stands for the embedded ones."""
    return _binaries(request.param)


def _binaries(name: str) -> Path | None:
    if name != "debian-15":
        return None
    require(DEBIAN.exists(), "Debian's PostgreSQL 15 (apt-get install postgresql)")
    return DEBIAN


@pytest.fixture(scope="session", params=["given"] if GIVEN_SERVER else DATABASES)
def server(request) -> Iterator[str]:
    """The URL of a PostgreSQL server: the given one, or the embedded one and Debian's."""
    if GIVEN_SERVER:
        yield GIVEN_SERVER
        return
    # A thousand databases are made and dropped in there: in memory that takes a tenth of the time.
    spacious = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="gateway-test-", dir=MEMORY if spacious else None) as folder:
        # Not pytest's own folder: where we are root, the server's account could not get through.
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder), binaries=_binaries(request.param), durable=False) as postgres:
            yield postgres.url


@contextmanager
def database(server: str, template: str = "template0") -> Iterator[str]:
    """The URL of a new database: an empty one, or a copy of a template.

    Nobody can connect to template0. The scheduler of TimescaleDB connects to every other database now and then, also
    to template1, and a database cannot be copied while somebody is connected to it.
    """
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield psycopg.conninfo.make_conninfo(server, dbname=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated(server) -> Iterator[str | None]:
    """The name of a database to copy, which is quicker than migrating; none on TimescaleDB, which cannot be copied."""
    with database(server) as url:
        migrate(url)
        with connect(url, "test") as connection:
            row = connection.execute("SELECT count(*) AS n FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        yield None if row["n"] else name


@pytest.fixture
def empty_url(server) -> Iterator[str]:
    """The URL of a new, empty database."""
    with database(server) as url:
        yield url


@contextmanager
def migrated_database(server: str, migrated: str | None) -> Iterator[str]:
    """The URL of a new database with this version's schema."""
    with database(server, migrated or "template0") as url:
        if migrated is None:
            migrate(url)
        yield url


@pytest.fixture
def url(server, migrated) -> Iterator[str]:
    """The URL of a new database with this version's schema."""
    with migrated_database(server, migrated) as url:
        yield url


@pytest.fixture
def db(url) -> Iterator[Connection]:
    """A connection to a new database, in autocommit."""
    with connect(url, "test") as connection:
        yield connection


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A running mail server."""
    with mail_server() as server:
        yield server


@pytest.fixture
def fcm(tmp_path) -> Iterator[Fcm]:
    """A running server that speaks FCM."""
    with fcm_server(tmp_path) as server:
        yield server


@pytest.fixture(params=["mosquitto", "embedded"])
def broker_port(request, tmp_path) -> Iterator[int]:
    """The MQTT 5 port of a running broker."""
    if request.param == "embedded":
        with EmbeddedBroker(tmp_path / "broker", port := free_port(), free_port()):
            yield port
    else:
        yield from mosquitto(tmp_path)


@pytest.fixture
def mosquitto_port(tmp_path) -> Iterator[int]:
    """The port of a running Mosquitto."""
    yield from mosquitto(tmp_path)


def mosquitto(folder: Path) -> Iterator[int]:
    """Run Debian's Mosquitto with the limits that the gateway needs; yields its port."""
    require(MOSQUITTO, "mosquitto (apt-get install mosquitto)")
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 5000\nmax_queued_messages 0\n"
    )
    with (folder / "mosquitto.log").open("wb") as log:
        process = spawn([str(MOSQUITTO), "-c", str(config)], death_signal=signal.SIGTERM, stdout=log)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("mosquitto did not start")
