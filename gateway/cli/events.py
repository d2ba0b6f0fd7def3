"""`gateway events`: events that could not be handled, and what could not be told, listed or tried again."""

import argparse

from gateway.cli.common import Commands, database_url
from gateway.config import Settings
from gateway.core.clock import Clock, system_clock
from gateway.core.errors import BadInput
from gateway.store import Row, connect
from gateway.store.wakeup import wake

_NAME = "gateway-events"
_ACTOR = "cli"


def add(commands: Commands) -> None:
    """Add the commands."""
    events = commands.add_parser("events", help="events that could not be handled")
    acts = events.add_subparsers(metavar="ACT", required=True)
    list_parser = acts.add_parser("failed", help="list the events that could not be handled and are tried again")
    list_parser.add_argument("--limit", type=int, default=20, help="events shown (default %(default)s)")
    list_parser.set_defaults(run=_events_failed)
    untold_parser = acts.add_parser("untold", help="list campaigns, units and alarms that could not be told to owners")
    untold_parser.add_argument("--limit", type=int, default=20, help="lines shown (default %(default)s)")
    untold_parser.add_argument("--retry", action="store_true", help="have the worker try all of them at once")
    untold_parser.set_defaults(run=_events_untold)
    retry_parser = acts.add_parser("retry", help="have the worker try them at once")
    retry_parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER")
    retry_parser.add_argument("--all", action="store_true", help="all there are")
    retry_parser.set_defaults(run=_events_retry)


def _events_failed(arguments: argparse.Namespace, settings: Settings) -> int:

    print("\n".join(failed_event_lines(database_url(settings), arguments.limit)))
    return 0


def _events_untold(arguments: argparse.Namespace, settings: Settings) -> int:
    url = database_url(settings)
    print("\n".join(retry_untold(url, system_clock) if arguments.retry else untold_lines(url, arguments.limit)))
    return 0


def _events_retry(arguments: argparse.Namespace, settings: Settings) -> int:

    if not (arguments.numbers or arguments.all):
        raise BadInput("Say which events: their numbers, or --all.")
    places = arguments.numbers or None
    print("\n".join(retry_events(database_url(settings), places, system_clock)))
    return 0


def failed_event_lines(url: str, limit: int) -> list[str]:
    """Returns lines with the number of failed events, and the newest `limit` of them."""
    from gateway.events import dead_letters

    with connect(url, _NAME) as connection:
        count = dead_letters.count(connection)
        rows = dead_letters.page(connection, dead_letters.NEWEST, limit)
    return [f"{count} events could not be handled and are tried again."] + [_line(row) for row in rows]


def untold_lines(url: str, limit: int) -> list[str]:
    """Returns a line for each of the first `limit` campaigns, units and alarms that could not be told."""
    from gateway.campaigns.failures import failures_to_tell

    with connect(url, _NAME) as connection:
        rows = failures_to_tell(connection, limit)
    return [_untold_line(row) for row in rows] or ["There is nothing that could not be told."]


def retry_untold(url: str, clock: Clock) -> list[str]:
    """Have the worker try at once all that could not be told. Returns the lines to print."""
    from gateway.campaigns.failures import try_again

    with connect(url, _NAME) as connection:
        with connection.transaction():
            number = try_again(connection, clock(), actor=_ACTOR)
        wake(connection)
    return [f"{number} will be tried again by the worker; those that it can tell leave the list."]


def retry_events(url: str, places: list[int] | None, clock: Clock) -> list[str]:
    """Have the worker try failed events, or all, at once. Returns the lines to print. Raises NotFound."""
    from gateway.events import dead_letters

    with connect(url, _NAME) as connection:
        with connection.transaction():
            number = dead_letters.ask_retry(connection, places, clock(), actor=_ACTOR)
        wake(connection)
    return [f"{number} will be tried again by the worker; those that it can handle leave the list."]


def _line(row: Row) -> str:
    unit = f"unit {row['unit']}" if row["unit"] else "no unit"
    tries = f"{row['attempts']} attempts since {row['first_failed_at']:%Y-%m-%d %H:%M:%S}"
    return f"{row['place']}  {row['kind']}  {unit}  {tries}, next {row['next_try_at']:%H:%M:%S}  {row['error']}"


def _untold_line(row: Row) -> str:
    what = " ".join(f"{name} {row[name]}" for name in ("campaign", "unit", "alarm") if row[name])
    return f"{what}  {row['tries']} tries, next {row['next_try_at']:%Y-%m-%d %H:%M:%S}"
