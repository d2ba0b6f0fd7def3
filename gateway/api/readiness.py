"""Whether the installation works, and what its roles wait for: put together for `/readyz`."""

from gateway.api import models
from gateway.catalog.repository import suspensions
from gateway.events import place_events, unread
from gateway.events.probe import STANDS_STILL_S, words
from gateway.events.reader import NOTIFY
from gateway.store import TROUBLES, Connection, trouble_of
from gateway.store.beat import SIGN_OF_LIFE, SILENT_AFTER, standings
from gateway.store.waits import LOCK_AFTER, lock_waits

_ROLES = {"gateway-ingest": "ingest", "gateway-worker": "worker", "gateway-stream": "api"}
"""The role that does nothing else while this session waits."""


def readiness(connection: Connection) -> models.Ready:
    """What each role waits for, and the event log besides; ready where nothing waits.

    A suspended product is named, and makes nothing unready: a restart would not mend it.
    """
    waiting = {role: what for role, what in standings(connection, SILENT_AFTER).items() if what is not None}
    silent = [role for role, what in waiting.items() if what == SIGN_OF_LIFE]
    for wait in reversed(lock_waits(connection, LOCK_AFTER)):
        if role := _ROLES.get(wait.who):
            waiting[role] = str(wait)  # says more than that the role is silent
    try:
        place_events(connection)
    except TROUBLES as error:
        waiting["events"] = trouble_of(error).value
    behind = unread(connection, NOTIFY)
    if behind.age_s > STANDS_STILL_S:
        waiting.setdefault("worker", words(behind.events, behind.age_s))
    suspended = [each.product for each in suspensions(connection)]
    return models.Ready(ready=not waiting, silent=silent, waiting_for=waiting, suspended=suspended)
