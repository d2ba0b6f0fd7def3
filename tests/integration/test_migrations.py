"""The schema is made once, whoever asks and however often, and every query fits it."""

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from gateway.accounts.repository import queries as accounts
from gateway.campaigns.repository import queries as campaigns
from gateway.catalog.repository import queries as catalog
from gateway.core.errors import Unavailable
from gateway.events.log import queries as events
from gateway.ingest.repository import queries as ingest
from gateway.notify.channels.email.channel import queries as email
from gateway.notify.channels.push.channel import queries as push
from gateway.notify.repository import queries as notify
from gateway.readings.repository import queries as readings
from gateway.registrations.repository import queries as registrations
from gateway.rules.repository import queries as rules
from gateway.store import connect
from gateway.store.migrate import migrate
from tests.conftest import MEMORY
from tests.dsl.postgres import own_database

pytestmark = pytest.mark.both

FIRST = "0001_pre_spine.sql"


def test_a_second_migration_finds_nothing_to_do(empty_url):
    assert migrate(empty_url)[0] == FIRST
    with connect(empty_url) as db:
        before = db.execute("SELECT * FROM schema_migration").fetchall()
        assert migrate(empty_url) == []
        assert db.execute("SELECT * FROM schema_migration").fetchall() == before


def test_several_processes_may_migrate_at_once_and_one_does(empty_url):
    """Compose starts every role at the same time."""
    together = Barrier(4)

    def start() -> list[str]:
        together.wait(10)
        return migrate(empty_url)

    with ThreadPoolExecutor(4) as threads:
        applied = [future.result(30) for future in [threads.submit(start) for _ in range(4)]]
    assert sorted(map(bool, applied)) == [False, False, False, True]


def test_a_migration_that_was_edited_after_it_ran_is_refused(url):
    with connect(url) as db:
        db.execute("UPDATE schema_migration SET digest = 'another' WHERE name = %s", [FIRST])
    with pytest.raises(Unavailable, match=rf"{FIRST} was edited after it ran here; add a new one"):
        migrate(url)


def test_the_server_takes_every_query(db, subtests):
    """It parses names and types without running anything, so this also finds what no other test runs."""
    db.execute(readings.stage)
    db.execute(readings.stage_latest)
    for queries in (accounts, campaigns, catalog, events, ingest, notify, email, push, readings, registrations, rules):
        for name in queries.sentences:
            with subtests.test(f"{queries.source}: {name}"):
                text = getattr(queries, name).as_string()
                numbers: dict[str, int] = {}
                numbered = re.sub(
                    r"%\((\w+)\)[sb]", lambda found, of=numbers: f"${of.setdefault(found[1], len(of) + 1)}", text
                )
                assert db.pgconn.prepare(b"", numbered.encode()).error_message == b""


def granted_what_it_asks_for(admin_url: str, user_url: str) -> list[str]:
    """Let a user migrate who lacks rights, run what its one line names, and let it migrate; returns that."""
    with pytest.raises(Unavailable, match="nothing was applied") as refused:
        migrate(user_url)
    with connect(user_url) as db:
        assert db.execute("SELECT to_regclass('schema_migration') AS name").fetchone() == {"name": None}
    line = str(refused.value)
    assert "\n" not in line
    commands = line.split("run in this database: ")[1].split("; ")
    with connect(admin_url) as admin:
        for command in commands:
            admin.execute(command)
    migrate(user_url)
    return commands


def test_rights_that_a_migration_lacks_are_named_before_anything_is_applied(server, migrated, empty_url):
    name = f"poor_{secrets.token_hex(6)}"
    database = psycopg.conninfo.conninfo_to_dict(empty_url)["dbname"]
    with connect(empty_url) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN")
        granted = granted_what_it_asks_for(empty_url, psycopg.conninfo.make_conninfo(empty_url, user=name))
        assert granted == [
            f'GRANT CREATE ON SCHEMA "public" TO "{name}"',
            f'GRANT CREATE ON DATABASE "{database}" TO "{name}"',
            f'GRANT gateway_owner TO "{name}"',
        ]


def test_on_a_new_server_the_role_of_the_owners_is_named_too():
    """Roles belong to the server, so this takes one that no database was migrated on."""
    with own_database(MEMORY if MEMORY.is_dir() else None) as postgres:
        with connect(postgres.url) as admin:
            admin.execute("CREATE ROLE poor LOGIN")
            admin.execute("CREATE DATABASE poor OWNER poor")
        own, admin_url = (
            psycopg.conninfo.make_conninfo(postgres.url, dbname="poor", **user) for user in ({"user": "poor"}, {})
        )
        assert granted_what_it_asks_for(admin_url, own) == [
            "CREATE ROLE gateway_owner NOLOGIN",
            'GRANT gateway_owner TO "poor"',
        ]


def test_a_table_of_somebody_else_is_one_line_and_changes_nothing(url):
    with connect(url) as admin:
        name = f"other_{secrets.token_hex(6)}"
        admin.execute(f"CREATE ROLE {name} LOGIN IN ROLE gateway_owner")
        admin.execute(f"GRANT CREATE ON SCHEMA public TO {name}")
        admin.execute(f"GRANT ALL ON schema_migration TO {name}")
        admin.execute("DELETE FROM schema_migration WHERE name LIKE '0010_pre_last%'")
        with pytest.raises(Unavailable, match=r"apply 0010_pre_last.* \(must be owner of table quarantine_count\)"):
            migrate(psycopg.conninfo.make_conninfo(url, user=name))


def test_a_user_who_may_only_create_roles_can_migrate_and_serve_owners(server):
    """Nobody should have to run the gateway as a superuser."""
    name = f"plain_{secrets.token_hex(6)}"
    with connect(server) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
        admin.execute(f"CREATE DATABASE {name} OWNER {name} TEMPLATE template0")
        if admin.execute("SELECT FROM pg_roles WHERE rolname = 'gateway_owner'").fetchone() is not None:
            admin.execute(f"GRANT gateway_owner TO {name}")  # another database's migration made it
        try:
            url = psycopg.conninfo.make_conninfo(server, dbname=name, user=name)
            migrate(url)
            with connect(url) as plain, plain.transaction():
                plain.execute("SET LOCAL ROLE gateway_owner")
                assert plain.execute("SELECT count(*) AS n FROM my_unit").fetchone() == {"n": 0}
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
