"""The rights of the roles' database user: read and write rows, but not create, change or drop tables.

The server's administrator creates the user and its password; deploy/postgres/users.sql does it for Compose.
"""

from psycopg import errors, sql

from gateway.core.errors import Unavailable
from gateway.store.database import Connection, connect
from gateway.store.queries import queries

_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user};
REVOKE INSERT, UPDATE, DELETE ON schema_migration FROM {user};
REVOKE UPDATE, DELETE ON event, telemetry FROM {user};
REVOKE UPDATE ON alarm_act FROM {user};
GRANT EXECUTE ON FUNCTION telemetry_make_day(date), telemetry_drop_before(date) TO {user};
GRANT EXECUTE ON FUNCTION telemetry_forget(bigint[], timestamptz, timestamptz) TO {user};
GRANT EXECUTE ON FUNCTION telemetry_to_columnstore(date) TO {user};
GRANT EXECUTE ON FUNCTION rollup_make_room(date), rollup_drop_before(date, date) TO {user};
GRANT EXECUTE ON FUNCTION event_make_month(date), event_drop_before(date) TO {user};
GRANT USAGE ON SEQUENCE event_number, notice_id_seq TO {user}
"""


def grant(url: str, user: str) -> None:
    """Let `user` run the roles; needed after each migration. Raises Unavailable without such a user or the right."""
    with connect(url, "gateway-migrate") as connection, connection.transaction():
        row = connection.execute(queries.session_names).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM returns a row
        identifiers = {"schema": sql.Identifier(row["schema"]), "user": sql.Identifier(user)}
        try:
            connection.execute(sql.SQL(_GRANTS).format(**identifiers))
            if not _may_become_owner(connection, user):
                connection.execute(sql.SQL("GRANT gateway_owner TO {user}").format(**identifiers))
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
    """The rights of `grant` that the present user does not have."""
    missing = [str(row["what"]) for row in connection.execute(queries.missing_rights)]
    row = connection.execute(queries.session_names).fetchone()
    if row and not _may_become_owner(connection, row["me"]):
        missing.append("become gateway_owner")
    return missing


def _may_become_owner(connection: Connection, user: str) -> bool:
    row = connection.execute(queries.may_become_owner, {"user": user}).fetchone()
    return bool(row and row["may"])
