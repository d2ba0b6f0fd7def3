"""The `gateway` command: arguments in, exit code out; errors are one clear text, never a traceback.

Each command imports what it needs: health checks run often, and everything together takes over a second.
"""

import argparse
import os
import select
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from gateway.config import CONFIG_VARIABLE, Settings, variable
from gateway.core.errors import BadInput, GatewayError, Unavailable
from gateway.embedded.supervisor import EX_CONFIG, Supervisor
from gateway.logs import set_up
from gateway.store import TROUBLES, trouble_of, words_of

ROLES = ("ingest", "worker", "api")
EX_READER_LEFT = 128 + 13
"""As the shell says of a program that SIGPIPE ended."""
FILES = ("products", "units", "owners")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits 0, 1 when something could not be done, 2 for wrong arguments, 78 for wrong settings."""
    given = _parser().parse_args(arguments)
    if given.config:
        os.environ[CONFIG_VARIABLE] = str(given.config)  # so that the roles we start read it too
    try:
        settings = Settings()
    except ValidationError as error:
        problems = [
            f"{variable('_'.join(map(str, problem['loc'])))}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        sys.exit(_say(BadInput("The settings are wrong:", problems), EX_CONFIG))
    except SettingsError as error:
        sys.exit(_say(BadInput("The settings are wrong:", [f"{error}; write lists as JSON"]), EX_CONFIG))
    except BadInput as error:
        sys.exit(_say(error, EX_CONFIG))
    set_up(settings.log_level, settings.log_format)
    try:
        code = given.run(given, settings)
        sys.stdout.flush()
        sys.exit(code)
    except BrokenPipeError:
        if not _reader_left():
            raise
        sys.exit(EX_READER_LEFT)
    except GatewayError as error:
        sys.exit(_say(error, 1))
    except TROUBLES as error:
        what = trouble_of(error).value
        sys.exit(_say(Unavailable(f"Nothing was done; it waits for {what} ({words_of(error)}). Try again then."), 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _reader_left() -> bool:
    """Whether who reads our output has enough (`gateway check | head`); then the rest of it goes nowhere."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    left = any(event & select.POLLERR for _, event in output.poll(0))
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes at its end
    return left


def _say(error: GatewayError, code: int) -> int:
    print(f"gateway: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="The product support gateway.")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"settings in TOML; or name it in {CONFIG_VARIABLE}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="everything on this machine, with a simulated fleet")
    demo.add_argument("--check", action="store_true", help="play the story without a person, on data of its own")
    demo.add_argument("--json", action="store_true", help="with --check: print the result as JSON")
    demo.set_defaults(run=_demo)

    serve = commands.add_parser("serve", help="run the roles (all of them, or one)")
    serve.add_argument("--role", choices=ROLES, help="run this role in this process")
    serve.set_defaults(run=_serve)

    alive = commands.add_parser("health", help="whether a role works; exit code 0 or 1")
    alive.add_argument("--role", choices=ROLES, required=True)
    alive.set_defaults(run=_health)

    bring = commands.add_parser("migrate", help="bring the database to this version")
    bring.add_argument("--grant", metavar="USER", help="let this database user, who need own nothing, run the roles")
    bring.set_defaults(run=_migrate)

    look = commands.add_parser("check", help="measure what the gateway stands on: database, broker, mail, addresses")
    look.add_argument("--json", action="store_true", help="print the findings as JSON")
    look.set_defaults(run=_check)

    load = commands.add_parser("import", help="read makers' files; all or nothing")
    load.add_argument("what", choices=FILES, help="products: YAML files; units, owners: CSV files")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.add_argument(
        "--rules", action="append", type=Path, default=[], metavar="FILE", help="products: apply these rules with them"
    )
    load.add_argument(
        "--retire-rules", action="store_true", help="products: take rules out of force that would no longer fit"
    )
    load.add_argument(
        "--clear",
        nargs="?",
        const="",
        metavar="COLUMN,…",
        help="empty cells of these columns (or of all that may) erase what is known; write it behind the files",
    )
    load.set_defaults(run=_import)

    _add_jobs(commands.add_parser("jobs", help="long work: imports"))

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

    accounts = commands.add_parser("admin", help="invite an administrator").add_subparsers(metavar="ACT", required=True)
    create = accounts.add_parser("create", help="invite an administrator; there is no default password")
    create.add_argument("email", metavar="EMAIL")
    create.add_argument("--name", required=True, help="how colleagues call the administrator")
    create.add_argument("--show-code", action="store_true", help="print the invitation code")
    create.set_defaults(run=_admin_create)

    _add_quarantine(commands.add_parser("quarantine", help="messages that could not be taken whole"))

    _add_events(commands.add_parser("events", help="events that could not be handled"))
    counts = commands.add_parser("receipts", help="what is counted of the messages that devices number")
    anew = counts.add_subparsers(metavar="ACT", required=True).add_parser("reset", help="count a unit anew")
    anew.add_argument("unit", metavar="PRODUCT/SERIAL")
    anew.set_defaults(run=_receipts_reset)

    schemas = commands.add_parser("schemas", help="write the contract and the page of the settings from the models")
    schemas.add_argument("--check", action="store_true", help="write nothing; fail where the files are out of date")
    schemas.add_argument("--dir", type=Path, default=Path("schemas"), help="where they are (default %(default)s)")
    schemas.add_argument("--docs", type=Path, default=Path("docs"), help="where the page is (default %(default)s)")
    schemas.set_defaults(run=_schemas)
    return parser


def _add_jobs(jobs: argparse.ArgumentParser) -> None:
    acts = jobs.add_subparsers(metavar="ACT", required=True)
    acts.add_parser("list", help="the newest jobs, how far they are, and why one failed").set_defaults(run=_jobs_list)
    cancel = acts.add_parser("cancel", help="end a job before it changes anything")
    cancel.add_argument("id", metavar="ID")
    cancel.set_defaults(run=_jobs_cancel)


def _add_quarantine(refused: argparse.ArgumentParser) -> None:
    acts = refused.add_subparsers(metavar="ACT", required=True)
    listing = acts.add_parser("list", help="the counts by reason and the newest messages")
    listing.add_argument("--reason", help="of this reason only")
    listing.add_argument("--limit", type=int, default=20, help="messages shown (default %(default)s)")
    listing.set_defaults(run=_quarantine_list)
    show = acts.add_parser("show", help="one message with its payload")
    show.add_argument("number", type=int)
    show.set_defaults(run=_quarantine_show)
    for name, what in (("retry", "have ingest try messages again"), ("purge", "drop messages for good")):
        act = acts.add_parser(name, help=what)
        act.add_argument("numbers", nargs="*", type=int, metavar="NUMBER")
        act.add_argument("--reason", help="all of this reason")
        act.add_argument("--all", action="store_true", help="all there are")
        act.set_defaults(run=_quarantine_change, act=name)


def _add_events(events: argparse.ArgumentParser) -> None:
    acts = events.add_subparsers(metavar="ACT", required=True)
    failed = acts.add_parser("failed", help="list the events that could not be handled and are tried again")
    failed.add_argument("--limit", type=int, default=20, help="events shown (default %(default)s)")
    failed.set_defaults(run=_events_failed)
    retry = acts.add_parser("retry", help="have the worker try them at once")
    retry.add_argument("numbers", nargs="*", type=int, metavar="NUMBER")
    retry.add_argument("--all", action="store_true", help="all there are")
    retry.set_defaults(run=_events_retry)


def _demo(given: argparse.Namespace, settings: Settings) -> int:
    if given.check:
        from gateway.demo.check import check

        return check(settings, as_json=given.json)
    from gateway.demo.run import run

    return run(settings)


def _serve(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.store.migrate import require_migrated

    url = _database_url(settings)
    try:
        require_migrated(url)
    except Unavailable as error:
        return _say(error, EX_CONFIG)
    if given.role:
        import_module(f"gateway.roles.{given.role}").run(settings, url)
        return 0
    supervisor = Supervisor()
    for role in ROLES:
        supervisor.start(role, [sys.executable, "-m", "gateway", "serve", "--role", role], dict(os.environ))
    return supervisor.run_until_signal()


def _health(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app.health import health

    print(health(settings, _database_url(settings), given.role))
    return 0


def _migrate(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.store.grants import grant
    from gateway.store.migrate import migrate

    url = _database_url(settings)
    applied = migrate(url)
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
    if given.grant:
        grant(url, given.grant)
        print(f"{given.grant} may run the roles.")
    return 0


def _check(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import check as checks
    from gateway.core.clock import system_clock

    findings = checks.check(settings, system_clock)
    print(checks.as_json(findings) if given.json else checks.as_text(findings))
    return 0 if checks.is_well(findings) else 1


def _import(given: argparse.Namespace, settings: Settings) -> int:
    url = _database_url(settings)
    if given.what == "products":
        from gateway.app.imports import import_files

        if given.clear is not None:
            raise BadInput("--clear is for units and owners: a product file says everything of its product.")
        lines = import_files(
            url, given.what, given.files, actor="cli", rule_files=given.rules, retire_rules=given.retire_rules
        )
    else:
        from gateway.app.import_files import import_rows, printed_progress

        if given.rules or given.retire_rules:
            raise BadInput("Rules go with product files only: leave out --rules and --retire-rules.")
        clear = None if given.clear is None else [name for name in given.clear.split(",") if name]
        try:
            lines = import_rows(
                url,
                given.what,
                given.files,
                actor="cli",
                clear=clear,
                rows_max=settings.import_max_rows,
                show=printed_progress(),
            )
        except KeyboardInterrupt:
            print("gateway: Cancelled, unless it was in force already: `gateway jobs list` says so.", file=sys.stderr)
            raise
    for line in lines:
        print(line)
    return 0


def _jobs_list(_given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import jobs

    print("\n".join(jobs.listed(_database_url(settings))))
    return 0


def _jobs_cancel(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import jobs

    print(jobs.cancel(_database_url(settings), given.id))
    return 0


def _rules(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import imports
    from gateway.core.clock import system_clock

    url = _database_url(settings)
    if given.what == "retire":
        lines = imports.retire_rules(url, given.names, actor="cli")
    elif given.what == "resume":
        lines = imports.resume_products(
            url, given.names, actor="cli", forget_state=given.forget_state, clock=system_clock
        )
    else:
        files = [Path(name) for name in given.names]
        lines = imports.apply_rules(url, files, actor="cli", dry=given.what == "check")
    for line in lines:
        print(line)
    return 0


def _admin_create(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import admin
    from gateway.core.clock import system_clock

    url = _database_url(settings)
    lines = admin.create_admin(url, settings, given.email, given.name, system_clock(), show_code=given.show_code)
    print("\n".join(lines))
    return 0


def _quarantine_list(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import quarantine

    print("\n".join(quarantine.listed(_database_url(settings), given.reason, given.limit)))
    return 0


def _quarantine_show(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import quarantine

    print("\n".join(quarantine.shown(_database_url(settings), given.number)))
    return 0


def _quarantine_change(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import quarantine
    from gateway.m2m.quarantine import Choice

    if not (given.numbers or given.reason or given.all):
        raise BadInput("Say which messages: their numbers, --reason REASON, or --all.")
    choice = Choice(given.numbers or None, given.reason)
    change = quarantine.tried_again if given.act == "retry" else quarantine.purged
    print("\n".join(change(_database_url(settings), choice)))
    return 0


def _events_failed(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import failed_events

    print("\n".join(failed_events.failed(_database_url(settings), given.limit)))
    return 0


def _events_retry(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app import failed_events
    from gateway.core.clock import system_clock

    if not (given.numbers or given.all):
        raise BadInput("Say which events: their numbers, or --all.")
    places = given.numbers or None
    print("\n".join(failed_events.tried_again(_database_url(settings), places, system_clock)))
    return 0


def _receipts_reset(given: argparse.Namespace, settings: Settings) -> int:
    from gateway.app.receipts import reset

    print("\n".join(reset(_database_url(settings), given.unit)))
    return 0


def _schemas(given: argparse.Namespace, _settings: Settings) -> int:
    from gateway.app import contract

    if given.check:
        contract.check(given.dir, given.docs)
        return 0
    for line in contract.write(given.dir, given.docs):
        print(line)
    return 0


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        print(
            "gateway: Set GATEWAY_DATABASE_URL to a PostgreSQL URL, like postgresql://gateway@localhost/gateway."
            " (`gateway demo` needs none.)",
            file=sys.stderr,
        )
        sys.exit(EX_CONFIG)
    return settings.database_url
