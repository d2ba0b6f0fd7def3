"""What the roles' database user may do: read and write rows, and nothing that makes, changes or drops a table.

The user itself, with its password, is made by who runs the server; deploy/postgres/users.sql does it for Compose.
"""

from psycopg import errors, sql

from gateway.core.errors import Unavailable
from gateway.store.database import Connection, connect

_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user};
REVOKE INSERT, UPDATE, DELETE ON schema_migration FROM {user};
REVOKE UPDATE, DELETE ON event, telemetry FROM {user};
GRANT EXECUTE ON FUNCTION telemetry_make_day(date), telemetry_drop_before(date) TO {user};
GRANT EXECUTE ON FUNCTION event_make_month(date), event_drop_before(date) TO {user};
GRANT USAGE ON SEQUENCE event_number TO {user}
"""
_WANTED = """
SELECT format('%s %s', lower(privilege), name) AS what
FROM (SELECT c.relname AS name, c.oid, p.privilege
      FROM pg_class c CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS p (privilege)
      WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition
        AND (c.relkind IN ('r', 'p') OR c.relkind = 'v' AND p.privilege = 'SELECT')
        AND (c.relname, p.privilege) NOT IN (('event', 'UPDATE'), ('event', 'DELETE'))
        AND (c.relname, p.privilege) NOT IN (('telemetry', 'UPDATE'), ('telemetry', 'DELETE'))
        AND (c.relname <> 'schema_migration' OR p.privilege = 'SELECT')) AS wanted
WHERE NOT has_table_privilege(oid, privilege)
UNION ALL
SELECT 'call ' || f FROM unnest('{telemetry_make_day(date),telemetry_drop_before(date),
                                  event_make_month(date),event_drop_before(date)}'::text[]) AS f
WHERE NOT has_function_privilege(f, 'EXECUTE')
UNION ALL
SELECT 'use event_number' WHERE NOT has_sequence_privilege('event_number', 'USAGE')
"""


def grant(url: str, user: str) -> None:
    """Let `user` run the roles; after each migration again. Raises Unavailable when it is not there or cannot be."""
    with connect(url, "gateway-migrate") as connection, connection.transaction():
        row = connection.execute("SELECT current_schema() AS schema").fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
        names = {"schema": sql.Identifier(row["schema"]), "user": sql.Identifier(user)}
        try:
            connection.execute(sql.SQL(_GRANTS).format(**names))
            if not _may_become_owner(connection, user):
                connection.execute(sql.SQL("GRANT gateway_owner TO {user}").format(**names))
        except errors.UndefinedObject as error:
            raise Unavailable(
                f"There is no database user {user}. Let a superuser make it: CREATE ROLE {user} LOGIN PASSWORD '…'"
            ) from error
        except errors.InsufficientPrivilege as error:
            raise Unavailable(
                f"The database does not let us grant that ({error.diag.message_primary})."
                f" Let a superuser run: GRANT gateway_owner TO {user}"
            ) from error


def missing_rights(connection: Connection) -> list[str]:
    """What the present user lacks of what `grant` gives; empty for who owns everything."""
    missing = [str(row["what"]) for row in connection.execute(_WANTED)]
    row = connection.execute("SELECT current_user AS me").fetchone()
    if row and not _may_become_owner(connection, row["me"]):
        missing.append("become gateway_owner")
    return missing


def _may_become_owner(connection: Connection, user: str) -> bool:
    """From 16 on, a member is not always one who may act as the role."""
    row = connection.execute(
        "SELECT pg_has_role(%s, 'gateway_owner', CASE WHEN current_setting('server_version_num')::int >= 160000"
        " THEN 'SET' ELSE 'MEMBER' END) AS may",
        [user],
    ).fetchone()
    return bool(row and row["may"])
