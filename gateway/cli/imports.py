"""`gateway import` and `gateway jobs`: imports of makers' files, and the jobs that run them."""

import argparse
import sys
from pathlib import Path

from gateway.cli.common import Commands, database_url
from gateway.config import Settings
from gateway.core.errors import BadInput

FILES = ("products", "units", "owners")


def add(commands: Commands) -> None:
    """Add the commands."""
    import_parser = commands.add_parser("import", help="read makers' files; all or nothing")
    import_parser.add_argument("what", choices=FILES, help="products: YAML files; units, owners: CSV files")
    import_parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    import_parser.add_argument(
        "--rules", action="append", type=Path, default=[], metavar="FILE", help="products: apply these rules with them"
    )
    import_parser.add_argument(
        "--retire-rules", action="store_true", help="products: take rules out of force that would no longer fit"
    )
    import_parser.add_argument(
        "--clear",
        nargs="?",
        const="",
        metavar="COLUMN,…",
        help="empty cells of these columns (or of all that may) erase what is known; write it behind the files",
    )
    import_parser.set_defaults(run=_import)

    jobs = commands.add_parser("jobs", help="long work: imports")
    acts = jobs.add_subparsers(metavar="ACT", required=True)
    acts.add_parser("list", help="the newest jobs, how far they are, and why one failed").set_defaults(run=_jobs_list)
    cancel = acts.add_parser("cancel", help="end a job before it changes anything")
    cancel.add_argument("id", metavar="ID")
    cancel.set_defaults(run=_jobs_cancel)


def _import(arguments: argparse.Namespace, settings: Settings) -> int:
    url = database_url(settings)
    if arguments.what == "products":
        from gateway.imports.service import import_files

        if arguments.clear is not None:
            raise BadInput("--clear is for units and owners: a product file says everything of its product.")
        lines = import_files(
            url,
            arguments.what,
            arguments.files,
            actor="cli",
            rule_files=arguments.rules,
            retire_rules=arguments.retire_rules,
        )
    else:
        from gateway.imports.rows import import_rows, progress_printer

        if arguments.rules or arguments.retire_rules:
            raise BadInput("Rules go with product files only: leave out --rules and --retire-rules.")
        clear = None if arguments.clear is None else [name for name in arguments.clear.split(",") if name]
        try:
            lines = import_rows(
                url,
                arguments.what,
                arguments.files,
                actor="cli",
                clear=clear,
                rows_max=settings.import_max_rows,
                show=progress_printer(),
            )
        except KeyboardInterrupt:
            print("gateway: Cancelled, unless it was in force already: `gateway jobs list` says so.", file=sys.stderr)
            raise
    for line in lines:
        print(line)
    return 0


def _jobs_list(_arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.imports import jobs

    print("\n".join(jobs.newest_lines(database_url(settings))))
    return 0


def _jobs_cancel(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.imports import jobs

    print(jobs.cancel(database_url(settings), arguments.id))
    return 0
