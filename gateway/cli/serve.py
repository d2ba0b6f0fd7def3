"""`gateway serve` and `gateway health`: the roles as processes."""

import argparse
import os
import sys
from importlib import import_module

from gateway.cli.common import EX_CONFIG, Commands, database_url, say
from gateway.config import Settings
from gateway.core.errors import Unavailable
from gateway.roles import ROLES


def add(commands: Commands) -> None:
    """Add the commands."""
    serve_parser = commands.add_parser("serve", help="run the roles (all of them, or one)")
    serve_parser.add_argument("--role", choices=ROLES, help="run this role in this process")
    serve_parser.set_defaults(run=_serve)

    health_parser = commands.add_parser("health", help="whether a role works; exit code 0 or 1")
    health_parser.add_argument("--role", choices=ROLES, required=True)
    health_parser.set_defaults(run=_health)


def _serve(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.roles.supervisor import Supervisor
    from gateway.store.migrate import require_migrated

    url = database_url(settings)
    try:
        require_migrated(url)
    except Unavailable as error:
        return say(error, EX_CONFIG)
    if arguments.role:
        import_module(f"gateway.roles.{arguments.role}").run(settings, url)
        return 0
    supervisor = Supervisor()
    for role in ROLES:
        supervisor.start(role, [sys.executable, "-m", "gateway", "serve", "--role", role], dict(os.environ))
    return supervisor.run_until_signal()


def _health(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.roles.health import health

    print(health(settings, database_url(settings), arguments.role))
    return 0
