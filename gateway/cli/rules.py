"""`gateway rules`."""

import argparse
from pathlib import Path

from gateway.cli.common import Commands, database_url
from gateway.config import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    rules = commands.add_parser("rules", help="check, apply or retire rules; resume suspended products")
    rules.add_argument("what", choices=["check", "apply", "retire", "resume"])
    rules.add_argument(
        "names",
        nargs="+",
        metavar="FILE|RULE|PRODUCT",
        help="rule files; to retire: rule ids; to resume: products",
    )
    rules.add_argument(
        "--forget-state", action="store_true", help="resume: begin without what the rules knew, and clear their alarms"
    )
    rules.set_defaults(run=_rules)


def _rules(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.core.clock import system_clock
    from gateway.imports import service as imports

    url = database_url(settings)
    if arguments.what == "retire":
        lines = imports.retire_rules(url, arguments.names, actor="cli")
    elif arguments.what == "resume":
        lines = imports.resume_products(
            url, arguments.names, actor="cli", forget_state=arguments.forget_state, clock=system_clock
        )
    else:
        files = [Path(name) for name in arguments.names]
        lines = imports.apply_rules(url, files, actor="cli", dry=arguments.what == "check")
    for line in lines:
        print(line)
    return 0
