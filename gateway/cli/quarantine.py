"""`gateway quarantine`: lists the refused messages, has them tried again, or purges them."""

import argparse
from typing import TYPE_CHECKING

from gateway.cli.common import Commands, database_url
from gateway.config import Settings
from gateway.core.errors import BadInput
from gateway.store import Row, connect

if TYPE_CHECKING:
    from gateway.ingest.quarantine import Choice

_NAME = "gateway-quarantine"
_ACTOR = "cli"
_SENDERS = 10
"""The most senders shown of those who had more messages refused than are kept of one sender."""


def add(commands: Commands) -> None:
    """Add the commands."""
    quarantine_parser = commands.add_parser("quarantine", help="messages that could not be taken whole")
    acts = quarantine_parser.add_subparsers(metavar="ACT", required=True)
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


def _quarantine_list(arguments: argparse.Namespace, settings: Settings) -> int:
    print("\n".join(summary_lines(database_url(settings), arguments.reason, arguments.limit)))
    return 0


def _quarantine_show(arguments: argparse.Namespace, settings: Settings) -> int:
    print("\n".join(message_lines(database_url(settings), arguments.number)))
    return 0


def _quarantine_change(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.ingest.quarantine import Choice

    if not (arguments.numbers or arguments.reason or arguments.all):
        raise BadInput("Say which messages: their numbers, --reason REASON, or --all.")
    choice = Choice(arguments.numbers or None, arguments.reason)
    change = retry_messages if arguments.act == "retry" else purge_messages
    print("\n".join(change(database_url(settings), choice)))
    return 0


def summary_lines(url: str, reason: str | None, limit: int) -> list[str]:
    """Returns lines: the counts by reason, the senders with most refused messages, and the newest messages."""
    from gateway.ingest import quarantine

    with connect(url, _NAME) as connection:
        counts = quarantine.counts(connection)
        rows = quarantine.page(connection, quarantine.NEWEST, limit, reason)
        senders = quarantine.senders(connection, _SENDERS, reason)
    lines = [
        f"{row['reason']}: {row['here']} here, {row['messages']} ever, {row['trimmed']} trimmed"
        for row in counts
        if reason in {None, row["reason"]}
    ]
    lines += [_sender_line(row) for row in senders if row["unkept"]]
    return (lines or ["Nothing was ever refused."]) + [_line(row) for row in rows]


def message_lines(url: str, number: int) -> list[str]:
    """Returns lines with everything about one message. Raises NotFound."""
    from gateway.ingest import quarantine

    with connect(url, _NAME) as connection:
        row = quarantine.one(connection, number)
    kept_part = (
        "" if quarantine.is_whole(row) else f", of which {len(row['payload'])} were kept: it cannot be tried again"
    )
    return [_line(row), f"{row['size']} bytes{kept_part}", repr(row["payload"].decode("utf-8", "replace"))]


def retry_messages(url: str, choice: "Choice") -> list[str]:
    """Have ingest try messages again. Returns the lines to print. Raises NotFound."""
    from gateway.ingest import quarantine

    with connect(url, _NAME) as connection, connection.transaction():
        number, cut_number = quarantine.ask_retry(connection, choice, _ACTOR)
    lines = [f"{number} will be tried again by ingest; what is taken leaves the quarantine."]
    return lines + ([f"{cut_number} cannot be: they were not kept whole."] if cut_number else [])


def purge_messages(url: str, choice: "Choice") -> list[str]:
    """Drop messages for good. Returns the line to print. Raises NotFound."""
    from gateway.ingest import quarantine

    with connect(url, _NAME) as connection, connection.transaction():
        return [f"{quarantine.purge(connection, choice, _ACTOR)} are gone."]


def _line(row: Row) -> str:
    waits = ", waits for another try" if row["retry_at"] else ""
    at = f"{row['received_at']:%Y-%m-%d %H:%M:%S}"
    return f"{row['id']}  {at}  {row['reason']}{waits}  {_plain(row['topic'])}  {_plain(row['detail'])}"


def _sender_line(row: Row) -> str:
    sender = _plain(row["sender"]) or "topics of no device"
    return f"{sender}: {row['reason']}, {row['messages']} ever, of which {row['unkept']} were counted and not kept"


def _plain(text: str) -> str:
    """Returns a text without control characters, so that a device cannot control the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
