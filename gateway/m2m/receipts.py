"""Receipts: retained messages that say up to which number all messages of a unit are committed.

The writer hands over what it committed; a unit gets at most one receipt a second. They have a connection of their own:
when the broker refuses them, only receipts wait. With each new connection all of them are published again.
"""

import logging
import secrets
import threading
from collections.abc import Iterable, Mapping
from itertools import islice

import orjson

from gateway import metrics
from gateway.m2m.counted import Receipt, UnitNumber, count
from gateway.m2m.session import Refused, Session
from gateway.m2m.topics import receipt_topic

log = logging.getLogger(__name__)

_EVERY_S = 1.0
_RETRY_S = 1.0
_ANSWER_S = 10.0
_PARTING_S = 3.0


class Receipts:
    """The receipts of all units, and those that are still to be published."""

    def __init__(
        self, address: tuple[str, int], credentials: tuple[str, str] | None, per_second: int, gaps_max: int
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._per_second = per_second
        self._spans_max = gaps_max + 1
        self._lock = threading.Lock()
        self._known: dict[int, Receipt] = {}
        self._waiting: dict[int, Receipt] = {}
        self._repeated: dict[int, Receipt] = {}
        """Receipts to publish again after a new connection; a unit is here or in `_waiting`."""
        self._refused = ""
        metrics.RECEIPTS_WAITING.set_function(lambda: len(self._waiting) + len(self._repeated))

    # -- The writer's side --------------------------------------------------------------------------------------------

    def load(self, committed: Mapping[int, Receipt]) -> None:
        """Begin with the committed receipts; other units get no receipt any more."""
        with self._lock:
            self._known = dict(committed)
            for queue in (self._waiting, self._repeated):
                for unit_id in queue.keys() - committed.keys():
                    del queue[unit_id]

    def forget(self, units: Iterable[int]) -> None:
        """Count these units anew; the broker keeps their last receipts until they send again."""
        with self._lock:
            for unit_id in units:
                for queue in (self._known, self._waiting, self._repeated):
                    queue.pop(unit_id, None)

    def count(self, numbers: Iterable[UnitNumber]) -> dict[int, Receipt]:
        """Returns the receipts of units with these numbers added; nothing changes until `committed` is called."""
        by_unit: dict[int, list[UnitNumber]] = {}
        for unit_number in numbers:
            by_unit.setdefault(unit_number[0], []).append(unit_number)
        counted = {}
        for unit_id, unit_numbers in by_unit.items():
            receipt = self._known.get(unit_id)
            new_count = count(
                receipt.counted if receipt else None, [number for _, _, number in unit_numbers], self._spans_max
            )
            counted[unit_id] = Receipt(receipt_topic(unit_numbers[-1][1]), new_count)
        return counted

    def committed(self, counted: Mapping[int, Receipt]) -> None:
        """Publish these receipts soon, also unchanged ones: a device that sends a message again missed its receipt."""
        if not counted:
            return
        with self._lock:
            self._known.update(counted)
            self._waiting.update(counted)
            for unit_id in counted:
                self._repeated.pop(unit_id, None)

    # -- The publisher's side -----------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set, and then what still waits. Connects only when there are receipts."""
        while not stop.is_set() or self._waiting:
            if not self._known:
                stop.wait(_EVERY_S)
                continue
            try:
                self._visit(stop)
            except (Refused, OSError) as error:
                if str(error) != self._refused:
                    self._refused = str(error)
                    log.warning("The broker does not take receipts (%s); they wait.", error)
                if stop.wait(_RETRY_S):
                    return

    def _visit(self, stop: threading.Event) -> None:
        with Session(self._address, self._credentials, f"gateway-receipts-{secrets.token_hex(4)}") as session:
            with self._lock:
                self._repeated = {
                    unit_id: each for unit_id, each in self._known.items() if unit_id not in self._waiting
                }
            while not stop.is_set() and self._known:
                self._publish(session, self._due(), _ANSWER_S)
                session.wait(_EVERY_S, stop)
            with self._lock:
                waiting = list(self._waiting.items())
            self._publish(session, waiting, _PARTING_S)

    def _due(self) -> list[tuple[int, Receipt]]:
        """The receipts that have waited longest; at least a tenth of them are repeated ones."""
        with self._lock:
            repeated = list(
                islice(self._repeated.items(), max(self._per_second // 10, self._per_second - len(self._waiting)))
            )
            return [*islice(self._waiting.items(), self._per_second - len(repeated)), *repeated]

    def _publish(self, session: Session, chosen: list[tuple[int, Receipt]], within_s: float) -> None:
        """Publish receipts and remove them from the queues; one that changed meanwhile goes to the end of its queue."""
        session.retain([(receipt.topic, _payload(receipt)) for _, receipt in chosen], within_s)
        metrics.RECEIPTS.inc(len(chosen))
        self._refused = ""
        with self._lock:
            for unit_id, published in chosen:
                for queue in (self._waiting, self._repeated):
                    if (waiting := queue.pop(unit_id, published)) is not published:
                        queue[unit_id] = waiting


def _payload(receipt: Receipt) -> bytes:
    return orjson.dumps({"boot": receipt.counted.boot, "upto": receipt.counted.upto})
