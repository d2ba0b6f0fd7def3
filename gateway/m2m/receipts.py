"""Receipts: a unit is told, retained, up to which of its numbered messages all are committed; over a visit of its own.

The writer hands over what it committed; a unit is told at most once a second. The broker may be away or refuse: nobody
waits for it but the receipts, and with each new connection all of them are published again.
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
    """What was counted of each unit, and who is still to be told."""

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
        self._again: dict[int, Receipt] = {}
        """What a new connection has to tell besides, as far as nothing waits."""
        self._refused = ""
        metrics.RECEIPTS_WAITING.set_function(lambda: len(self._waiting) + len(self._again))

    # -- The writer's side --------------------------------------------------------------------------------------------

    def load(self, known: Mapping[int, Receipt]) -> None:
        """Begin with what is committed; of others nobody is told any more."""
        with self._lock:
            self._known = dict(known)
            for queue in (self._waiting, self._again):
                for unit_id in queue.keys() - known.keys():
                    del queue[unit_id]

    def forget(self, units: Iterable[int]) -> None:
        """Count these units anew; their receipts at the broker stay until they send again."""
        with self._lock:
            for unit_id in units:
                for queue in (self._known, self._waiting, self._again):
                    queue.pop(unit_id, None)

    def count(self, numbers: Iterable[UnitNumber]) -> dict[int, Receipt]:
        """What is counted of their units when these are taken, too; nothing changes before `committed`."""
        own: dict[int, list[UnitNumber]] = {}
        for each in numbers:
            own.setdefault(each[0], []).append(each)
        counted = {}
        for unit_id, its in own.items():
            before = self._known.get(unit_id)
            after = count(before.counted if before else None, [number for _, _, number in its], self._spans_max)
            counted[unit_id] = Receipt(receipt_topic(its[-1][1]), after)
        return counted

    def committed(self, counted: Mapping[int, Receipt]) -> None:
        """Have these units told. Also those without news: a device that sends again missed its receipt."""
        if not counted:
            return
        with self._lock:
            self._known.update(counted)
            self._waiting.update(counted)
            for unit_id in counted:
                self._again.pop(unit_id, None)

    # -- The publisher's side -----------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop` is set, and then what still waits. Without any receipt there is no connection."""
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
                self._again = {unit_id: each for unit_id, each in self._known.items() if unit_id not in self._waiting}
            while not stop.is_set() and self._known:
                self._publish(session, self._due(), _ANSWER_S)
                session.rest(_EVERY_S, stop)
            with self._lock:
                waiting = list(self._waiting.items())
            self._publish(session, waiting, _PARTING_S)

    def _due(self) -> list[tuple[int, Receipt]]:
        """Who waited longest; a tenth at least are of those that a new connection has to tell besides."""
        with self._lock:
            again = list(
                islice(self._again.items(), max(self._per_second // 10, self._per_second - len(self._waiting)))
            )
            return [*islice(self._waiting.items(), self._per_second - len(again)), *again]

    def _publish(self, session: Session, chosen: list[tuple[int, Receipt]], within_s: float) -> None:
        """Tell them; they wait until the broker has taken it, and behind the others when there is news by then."""
        session.retain([(each.topic, _payload(each)) for _, each in chosen], within_s)
        metrics.RECEIPTS.inc(len(chosen))
        self._refused = ""
        with self._lock:
            for unit_id, told in chosen:
                for queue in (self._waiting, self._again):
                    if (found := queue.pop(unit_id, told)) is not told:
                        queue[unit_id] = found


def _payload(receipt: Receipt) -> bytes:
    return orjson.dumps({"boot": receipt.counted.boot, "upto": receipt.counted.upto})
