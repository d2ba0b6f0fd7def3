"""`gateway quarantine`: what was refused, tried again or purged, as lines of text."""

from gateway.m2m import quarantine
from gateway.m2m.quarantine import Choice
from gateway.store import Row, connect

_NAME = "gateway-quarantine"
_ACTOR = "cli"
_SENDERS = 10
"""Shown of those who had more refused than their share."""


def listed(url: str, reason: str | None, limit: int) -> list[str]:
    """The counts by reason, the senders who had most refused, and the newest messages."""
    with connect(url, _NAME) as connection:
        counts = quarantine.counts(connection)
        rows = quarantine.page(connection, quarantine.NEWEST, limit, reason)
        senders = quarantine.senders(connection, _SENDERS, reason)
    told = [
        f"{row['reason']}: {row['here']} here, {row['messages']} ever, {row['trimmed']} trimmed"
        for row in counts
        if reason in {None, row["reason"]}
    ]
    told += [_sender_line(row) for row in senders if row["unkept"]]
    return (told or ["Nothing was ever refused."]) + [_line(row) for row in rows]


def shown(url: str, number: int) -> list[str]:
    """All that is known of one message; raises NotFound."""
    with connect(url, _NAME) as connection:
        row = quarantine.one(connection, number)
    kept = "" if quarantine.is_whole(row) else f", of which {len(row['payload'])} were kept: it cannot be tried again"
    return [_line(row), f"{row['size']} bytes{kept}", repr(row["payload"].decode("utf-8", "replace"))]


def tried_again(url: str, choice: Choice) -> list[str]:
    """Ask for another try; raises NotFound."""
    with connect(url, _NAME) as connection, connection.transaction():
        asked, cut = quarantine.ask_retry(connection, choice, _ACTOR)
    told = [f"{asked} will be tried again by ingest; what is taken leaves the quarantine."]
    return told + ([f"{cut} cannot be: they were not kept whole."] if cut else [])


def purged(url: str, choice: Choice) -> list[str]:
    """Drop messages for good; raises NotFound."""
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
    """A device's words must not command the terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
