"""Maintenance deletes old rows, in turns of one short transaction each, so that nothing waits long for it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from gateway.accounts import retention as accounts
from gateway.accounts import staff
from gateway.campaigns.candidates import forget_candidates
from gateway.config import Settings
from gateway.jobs import repository as jobs
from gateway.notify import retention as notices
from gateway.rules.repository import forget_alarms
from gateway.store import Connection, OperationalError
from gateway.store.attempts import forget_attempts
from gateway.support.audit import forget_looks
from gateway.support.notes import forget_notes

log = logging.getLogger(__name__)

TURN = 1_000
"""Rows that one transaction forgets of a table at most."""
TURNS_MAX = 1_000
"""Turns of a table in one run; the rest is forgotten in the next one, an hour later."""
_ATTEMPTS_KEPT = timedelta(days=1)
"""No limit on tries looks back any further."""

Forget = Callable[[Connection, datetime, int], int]
"""Deletes up to a number of rows that ended before a time. Returns how many it deleted."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is forgotten of a table; later ones may need what earlier ones did."""

    table: str
    forget: Forget
    before: datetime


def sweeps(settings: Settings, now: datetime) -> Iterator[Sweep]:
    """Everything that is forgotten after a time, in the order in which it is forgotten."""
    yield Sweep("sign_in_code", accounts.forget_codes, now)
    yield Sweep("session", accounts.forget_sessions, now)
    yield Sweep("known_browser", accounts.forget_browsers, now)
    yield Sweep("attempt", forget_attempts, now - _ATTEMPTS_KEPT)
    yield Sweep("job", jobs.forget, now - settings.jobs_kept)
    yield Sweep("letter", notices.forget_letters, now - settings.letter_history)
    yield Sweep("delivery_try", notices.forget_tries, now - settings.delivery_history)
    yield Sweep("outbox", notices.forget_feed_rows, now)
    yield Sweep("push_token", notices.forget_phones, now - settings.delivery_history)
    yield Sweep("engagement", notices.forget_engagements, now - settings.engagement_history)
    yield Sweep("notice", notices.forget_notices, now - settings.notice_history)
    yield Sweep("ledger", notices.forget_ledger, now - settings.notice_history)
    yield Sweep("alarm", forget_alarms, now - settings.alarm_history)
    yield Sweep("campaign_candidate", forget_candidates, now)
    yield Sweep("staff_look", partial(forget_looks, most=settings.looks_max), now - settings.look_history)
    yield Sweep("staff_act", staff.forget_acts, now - settings.look_history)
    yield Sweep("staff_note", forget_notes, now - settings.note_history)


def forget_old(connection: Connection, settings: Settings, now: datetime) -> dict[str, int]:
    """Forget what is old enough; returns the rows forgotten by table. `connection` must not be in a transaction."""
    forgotten = {}
    for sweep in sweeps(settings, now):
        try:
            forgotten[sweep.table] = _forget(connection, sweep)
        except OperationalError:
            raise
        except Exception:  # one table must not keep the others from being bounded
            log.exception("Nothing could be forgotten of %s.", sweep.table)
    text = ", ".join(f"{rows} of {table}" for table, rows in forgotten.items() if rows)
    if text:
        log.info("Maintenance forgot %s.", text)
    return forgotten


def _forget(connection: Connection, sweep: Sweep) -> int:
    total = 0
    for _ in range(TURNS_MAX):
        rows = sweep.forget(connection, sweep.before, TURN)
        total += rows
        if rows < TURN:
            break
    return total
