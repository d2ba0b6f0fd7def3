"""`gateway schemas`."""

import argparse
from pathlib import Path

from gateway.cli.common import Commands
from gateway.config import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    schemas = commands.add_parser("schemas", help="write the contract and the page of the settings from the models")
    schemas.add_argument("--check", action="store_true", help="write nothing; fail where the files are out of date")
    schemas.add_argument("--dir", type=Path, default=Path("schemas"), help="where they are (default %(default)s)")
    schemas.add_argument("--docs", type=Path, default=Path("docs"), help="where the page is (default %(default)s)")
    schemas.set_defaults(run=_schemas)


def _schemas(arguments: argparse.Namespace, _settings: Settings) -> int:
    from gateway.contract import schemas as contract

    if arguments.check:
        contract.check(arguments.dir, arguments.docs)
        return 0
    for line in contract.write(arguments.dir, arguments.docs):
        print(line)
    return 0
