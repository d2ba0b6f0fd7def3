"""The `gateway` command: arguments in, exit code out; errors are one clear text, never a traceback.

A group of commands is a file here, which adds them to the parser. What a command needs is imported when it runs: health
checks run often, and everything together takes over a second.
"""

import argparse
import os
import select
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from gateway.cli import admin, database, demo, events, imports, quarantine, receipts, rules, schemas, serve, staff
from gateway.cli.common import EX_CONFIG, say
from gateway.config import CONFIG_VARIABLE, Settings, variable
from gateway.core.errors import BadInput, GatewayError, Unavailable
from gateway.logs import set_up
from gateway.store import TROUBLES, trouble_of, words_of
from gateway.text import use_folder

GROUPS = (demo, serve, database, imports, rules, admin, staff, quarantine, events, receipts, schemas)
EX_READER_LEFT = 128 + 13
"""The exit code that a shell gives a program that SIGPIPE (13) ended."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command; exits 0, 1 when something could not be done, 2 for wrong arguments, 78 for wrong settings."""
    arguments = _parser().parse_args(argv)
    if arguments.config:
        os.environ[CONFIG_VARIABLE] = str(arguments.config)  # so that the roles we start read it too
    try:
        settings = Settings()
    except ValidationError as error:
        problems = [
            f"{variable('_'.join(map(str, problem['loc'])))}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        sys.exit(say(BadInput("The settings are wrong:", problems), EX_CONFIG))
    except SettingsError as error:
        sys.exit(say(BadInput("The settings are wrong:", [f"{error}; write lists as JSON"]), EX_CONFIG))
    except BadInput as error:
        sys.exit(say(error, EX_CONFIG))
    set_up(settings.log_level, settings.log_format)
    use_folder(settings.text_folder)
    try:
        code = arguments.run(arguments, settings)
        sys.stdout.flush()
        sys.exit(code)
    except BrokenPipeError:
        if not _reader_left():
            raise
        sys.exit(EX_READER_LEFT)
    except GatewayError as error:
        sys.exit(say(error, 1))
    except TROUBLES as error:
        what = trouble_of(error).value
        sys.exit(say(Unavailable(f"Nothing was done; it waits for {what} ({words_of(error)}). Try again then."), 1))
    except KeyboardInterrupt:
        sys.exit(130)


def _reader_left() -> bool:
    """Whether the reader of our output has closed it (`gateway check | head`); then the rest of it is discarded."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    has_left = any(event & select.POLLERR for _, event in output.poll(0))
    if has_left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes at its end
    return has_left


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway", description="The product support gateway.")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"settings in TOML; or name it in {CONFIG_VARIABLE}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    for group in GROUPS:
        group.add(commands)
    return parser
