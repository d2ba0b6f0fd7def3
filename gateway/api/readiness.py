"""Whether the installation works, and what its roles wait for: the content of `/readyz`."""

from gateway.api import models
from gateway.catalog.repository import suspensions
from gateway.events import place_events, unread_events
from gateway.events.probe import STANDS_STILL_S, words
from gateway.events.reader import NOTIFY
from gateway.store import TROUBLES, Connection, trouble_of
from gateway.store.beat import SIGN_OF_LIFE, SILENT_AFTER, standings
from gateway.store.waits import LOCK_AFTER, lock_waits

_ROLES = {"gateway-ingest": "ingest", "gateway-worker": "worker", "gateway-stream": "api"}
"""Database session to the role that does nothing else while that session waits."""


def readiness(connection: Connection) -> models.Ready:
    """Returns what each role, and the event log, waits for; the installation is ready where nothing waits.

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
    unread = unread_events(connection, NOTIFY)
    if unread.age_s > STANDS_STILL_S:
        waiting.setdefault("worker", words(unread.count, unread.age_s))
    suspended = [suspension.product for suspension in suspensions(connection)]
    return models.Ready(ready=not waiting, silent=silent, waiting_for=waiting, suspended=suspended)
