"""What the worker does beside alarms, in steps: campaigns, units that changed hands, what was held, figures.

The steps have a thread of their own, so that no alarm waits for them. Each is a transaction, and bounded.
"""

from collections.abc import Callable
from datetime import datetime

from gateway import flow
from gateway.campaigns.candidates import find_candidates
from gateway.campaigns.progress import sum_figures, take_up_owners
from gateway.campaigns.repository import steps_due
from gateway.campaigns.tell import tell_due
from gateway.campaigns.withdrawn import tell_withdrawn
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.notify.held import tell_held
from gateway.notify.model import Policy
from gateway.notify.send.outbox import Outbox
from gateway.store import Connection, Database

Step = Callable[[Connection, datetime], int]
"""Does some of what is due. Returns how much it was."""


class Steps:
    """The steps of a turn, in their order."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, policy: Policy, outbox: Outbox) -> None:
        limit = settings.notify_batch
        self._database = database
        self._clock = clock
        self._channels = policy.channels
        self._steps: dict[str, Step] = {
            "withdrawn": lambda tx, _: tell_withdrawn(tx, limit),
            "owners": lambda tx, now: take_up_owners(tx, now, limit),
            "campaigns": lambda tx, now: tell_due(tx, now, limit, policy, flow.NOTICE),
            "candidates": find_candidates,
            "held": lambda tx, now: tell_held(tx, now, limit),
            "unserved": lambda tx, now: outbox.skip_unserved(tx, now, settings.outbox_batch),
            "figures": lambda tx, _: sum_figures(tx),
        }

    def turn(self) -> int:
        """Do the steps that have something to do; the others cost one look together. Returns how much there was."""
        total = 0
        with self._database.connection() as connection:
            due = steps_due(connection, self._channels, self._clock())
            for name in (name for name in self._steps if name in due):
                with connection.transaction():
                    total += self._steps[name](connection, self._clock())
        return total
