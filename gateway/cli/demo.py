"""`gateway demo`."""

import argparse

from gateway.cli.common import Commands
from gateway.config import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    demo = commands.add_parser("demo", help="everything on this machine, with a simulated fleet")
    demo.add_argument("--check", action="store_true", help="play the story without a person, on data of its own")
    demo.add_argument("--json", action="store_true", help="with --check: print the result as JSON")
    demo.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.check:
        from gateway.demo.check import check

        return check(settings, as_json=arguments.json)
    from gateway.demo.run import run

    return run(settings)
