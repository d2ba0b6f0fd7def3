"""`gateway migrate` and `gateway check`: the database, and what else the gateway needs."""

import argparse

from gateway.cli.common import Commands, database_url
from gateway.config import Settings


def add(commands: Commands) -> None:
    """Add the commands."""
    migrate_parser = commands.add_parser("migrate", help="bring the database to this version")
    migrate_parser.add_argument(
        "--grant", metavar="USER", help="let this database user, who need own nothing, run the roles"
    )
    migrate_parser.set_defaults(run=_migrate)

    check_parser = commands.add_parser(
        "check", help="measure what the gateway stands on: database, broker, mail, addresses"
    )
    check_parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    check_parser.set_defaults(run=_check)


def _migrate(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.store.grants import grant
    from gateway.store.migrate import migrate

    url = database_url(settings)
    applied = migrate(url)
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
    if arguments.grant:
        grant(url, arguments.grant)
        print(f"{arguments.grant} may run the roles.")
    return 0


def _check(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.core.clock import system_clock
    from gateway.roles import check as checks

    findings = checks.check(settings, system_clock)
    print(checks.as_json(findings) if arguments.json else checks.as_text(findings))
    return 0 if checks.is_well(findings) else 1
