"""Who migrates owns the database; the roles' user reads and writes rows, and cannot harm a table."""

from datetime import date

import psycopg
import pytest

from gateway.core.errors import Unavailable
from gateway.store import connect
from gateway.store.grants import grant
from gateway.store.migrate import migrate, require_migrated
from gateway.store.owner import act_as_owner
from gateway.store.timeseries import TimeSeries
from tests.dsl.postgres import MIGRATE_PASSWORD, ROLES_PASSWORD, Server, make_users, server_with_users
from tests.factories import make_fleet

DAY = date(2026, 7, 1)


pytestmark = pytest.mark.both


@pytest.fixture(scope="module")
def users(binaries) -> Server:
    """A migrated server with both users."""
    with server_with_users(binaries) as server:
        migrate(server.migrate_url)
        grant(server.migrate_url, "gateway_roles")
        yield server


@pytest.fixture
def roles(users):
    with connect(users.roles_url) as connection:
        yield connection


def test_the_roles_user_needs_its_password(users):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(users.url("gateway_roles", "guessed"))


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE product",
        "TRUNCATE product CASCADE",
        "ALTER TABLE product ADD extra text",
        "CREATE TABLE own (id int)",
        "CREATE SCHEMA own",
        "CREATE ROLE own",
        "CREATE EXTENSION hstore",
        "CREATE OR REPLACE FUNCTION my_person() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "SET ROLE gateway_migrate",
        "UPDATE event SET actor = 'another'",
        "DELETE FROM event",
        "UPDATE telemetry SET value = 0",
        "DELETE FROM telemetry",
        "INSERT INTO schema_migration (name, digest) VALUES ('9999', '')",
        "DELETE FROM schema_migration",
    ],
)
def test_the_roles_user_is_refused_what_is_not_rows(roles, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        roles.execute(statement)


def test_the_roles_user_makes_and_drops_days_without_owning_them(roles):
    series = TimeSeries(roles)
    assert not series.is_hypertable
    before = series.existing_days()
    series.ensure_days([DAY])
    assert series.existing_days() == {*before, DAY}
    owner = "SELECT pg_get_userbyid(relowner) AS name FROM pg_class WHERE relname = 'telemetry_20260701'"
    assert roles.execute(owner).fetchone() == {"name": "gateway_migrate"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        roles.execute("DROP TABLE telemetry_20260701")
    assert series.drop_before(DAY.replace(day=2)) == 1
    assert series.existing_days() == before


def test_the_roles_user_serves_owners_who_cannot_touch_the_days(roles):
    with roles.transaction():
        act_as_owner(roles, 1)
        assert roles.execute("SELECT count(*) AS n FROM my_reading").fetchone() == {"n": 0}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            roles.execute("SELECT telemetry_drop_before('2027-01-01')")


def test_the_users_can_be_made_again_with_other_passwords_and_for_a_second_database(users):
    with connect(users.superuser_url) as admin:
        admin.execute("CREATE DATABASE second")
    try:
        second = psycopg.conninfo.make_conninfo(users.superuser_url, dbname="second")
        make_users(second, MIGRATE_PASSWORD, "third-secret")
        with connect(users.url("gateway_roles", "third-secret")) as roles:
            assert roles.execute("SELECT count(*) AS n FROM unit").fetchone() is not None
        migrate(psycopg.conninfo.make_conninfo(users.migrate_url, dbname="second"))
    finally:
        make_users(users.superuser_url, MIGRATE_PASSWORD, ROLES_PASSWORD)
        with connect(users.superuser_url) as admin:
            admin.execute("DROP DATABASE second WITH (FORCE)")
    with connect(users.roles_url) as roles:
        assert roles.execute("SELECT count(*) AS n FROM unit").fetchone() is not None


def test_a_search_path_of_the_callers_own_does_not_lead_the_functions_astray(roles):
    """They run with their owner's rights: a temporary table named telemetry must not be what they change."""
    roles.execute("CREATE TEMPORARY TABLE telemetry (time timestamptz)")
    roles.execute("SET search_path = pg_temp, public")
    roles.execute("SELECT telemetry_make_day('2026-07-05')")
    rows = roles.execute(
        "SELECT relnamespace::regnamespace::text AS place FROM pg_class WHERE relname LIKE '%20260705'"
    )
    assert rows.fetchall() == [{"place": "public"}]


def test_the_makers_files_can_be_imported_as_the_roles_user(users):
    require_migrated(users.roles_url)
    make_fleet(users.roles_url, ("G1",))


def test_what_a_migration_makes_anew_is_granted_with_the_next_grant(users):
    with connect(users.migrate_url) as owner, connect(users.roles_url) as roles:
        owner.execute("CREATE TABLE later (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            roles.execute("SELECT FROM later")
        grant(users.migrate_url, "gateway_roles")
        assert roles.execute("SELECT FROM later").fetchall() == []
        owner.execute("DROP TABLE later")


def test_a_user_that_is_not_there_is_named(users):
    with pytest.raises(Unavailable, match="There is no database user nobody_here"):
        grant(users.migrate_url, "nobody_here")


def test_a_migrating_user_who_may_not_grant_the_owners_role_says_who_can(users):
    """It owns the tables; the role gateway_owner was made by the superuser."""
    with connect(users.superuser_url) as admin:
        admin.execute("CREATE ROLE newcomer LOGIN")
        with pytest.raises(Unavailable, match="Let a superuser run: GRANT gateway_owner TO newcomer"):
            grant(users.migrate_url, "newcomer")
        admin.execute("GRANT gateway_owner TO newcomer")
        grant(users.migrate_url, "newcomer")
