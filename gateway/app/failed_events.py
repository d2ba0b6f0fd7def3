"""`gateway events`: events that could not be handled, listed or tried again, as lines of text."""

from gateway.core.clock import Clock
from gateway.events import dead_letters
from gateway.store import Row, connect
from gateway.store.wakeup import wake

_NAME = "gateway-events"
_ACTOR = "cli"


def failed(url: str, limit: int) -> list[str]:
    """How many there are, and the newest of them."""
    with connect(url, _NAME) as connection:
        count = dead_letters.count(connection)
        rows = dead_letters.page(connection, dead_letters.NEWEST, limit)
    return [f"{count} events could not be handled and are tried again."] + [_line(row) for row in rows]


def tried_again(url: str, places: list[int] | None, clock: Clock) -> list[str]:
    """Have the worker try them at once; raises NotFound."""
    with connect(url, _NAME) as connection:
        with connection.transaction():
            asked = dead_letters.ask_retry(connection, places, clock(), actor=_ACTOR)
        wake(connection)
    return [f"{asked} will be tried again by the worker; those that it can handle leave the list."]


def _line(row: Row) -> str:
    unit = f"unit {row['unit']}" if row["unit"] else "no unit"
    tries = f"{row['attempts']} attempts since {row['first_failed_at']:%Y-%m-%d %H:%M:%S}"
    return f"{row['place']}  {row['kind']}  {unit}  {tries}, next {row['next_try_at']:%H:%M:%S}  {row['error']}"
