"""`gateway admin`: the first administrator is invited from the command line."""

import argparse

from gateway.cli.common import Commands
from gateway.cli.staff import add_invitation, print_invitation
from gateway.config import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    accounts = commands.add_parser("admin", help="invite an administrator").add_subparsers(metavar="ACT", required=True)
    create = accounts.add_parser("create", help="invite an administrator; there is no default password")
    add_invitation(create)
    create.set_defaults(run=_admin_create)


def _admin_create(arguments: argparse.Namespace, settings: Settings) -> int:
    return print_invitation(arguments, settings, "administrator")
