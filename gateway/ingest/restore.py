"""The rule state through a start, a change of the catalog and a product's trouble: the journal in, the state out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gateway import catalog
from gateway.catalog.repository import (
    drop_judged,
    keep_unjudged,
    kept_rules,
    narrow,
    resume,
    saved_under,
    suspend,
    suspensions,
    unjudged,
)
from gateway.ingest import repository
from gateway.ingest.judging import (
    Judging,
    ProductJudge,
    Revision,
    Troubles,
    Verdicts,
    read_revision,
    reason,
    split_journal,
)
from gateway.rules import repository as rules
from gateway.rules.evaluator import Change
from gateway.rules.repository import RuleVersion
from gateway.rules.state import Readings
from gateway.store import TROUBLES, Connection

log = logging.getLogger(__name__)

Record = Callable[[Sequence[Change], Mapping[int, RuleVersion], int], int]
"""Writes the alarm changes of a batch, in the transaction that runs."""

BATCHES_A_STEP = 500
_BYTES_A_STEP = 5_000_000
"""Of unjudged readings: a step takes some hundred milliseconds."""


def restore(connection: Connection, record: Record, now: datetime) -> Judging:
    """The state after the last committed batch: as last saved, with the journal judged again under its catalogs."""
    judging, troubles = Judging.load(connection, [each.product_id for each in suspensions(connection)])
    with connection.transaction():
        _tell(connection, judging, troubles, now)
    for seq, revision, journaled in repository.journal_after(connection, judging.seq):
        if revision > judging.revision.number:
            judging = follow(connection, judging, read_revision(connection, revision), now)
        readings = split_journal(journaled)
        verdicts = judge(connection, judging, judging.known(readings), now)
        with connection.transaction():
            record(judging.changes(verdicts), judging.versions, seq)  # all of them are known
            keep_unjudged(connection, seq, judging.unjudged(readings))
        judging.apply(verdicts, seq)
    return judging


def judge(connection: Connection, judging: Judging, readings: Mapping[int, Readings], now: datetime) -> Verdicts:
    """A verdict for each product's readings. A product that cannot be judged is suspended: the others go on."""
    verdicts, troubles = judging.judge(readings)
    if troubles:
        with connection.transaction():
            judging.save(connection)  # its state before the trouble, from which it goes on one day
            _tell(connection, judging, troubles, now)
        judging.saved()
        judging.set_aside(list(troubles))
        verdicts, _ = judging.judge(readings)
    return verdicts


def follow(connection: Connection, judging: Judging, revision: Revision, now: datetime) -> Judging:
    """Take over another revision of the catalog, and save the state with it."""
    changed, troubles = judging.in_step(revision)
    with connection.transaction():
        if troubles:
            judging.save(connection)
            _tell(connection, judging, troubles, now)
        narrow(connection, changed.in_force())
        changed.retire(connection, now)
        changed.save(connection)
    changed.saved()
    log.info("Revision %d of the product catalog is judged by (stage=judge).", revision.number)
    return changed


def _tell(tx: Connection, judging: Judging, troubles: Troubles, now: datetime) -> None:
    suspend(tx, troubles, judging.rule_ids, now)
    for product_id, why in troubles.items():
        log.error("Product %d is suspended, its readings are stored and wait: %s (stage=judge).", product_id, why)


class Resuming:
    """Suspended products that are tried again: what waits is judged step by step, then they go on with the others."""

    def __init__(self) -> None:
        self._asked: list[int] = []
        self._judges: dict[int, ProductJudge] = {}
        """Of products whose unjudged readings were judged in part."""

    def ask(self, judging: Judging) -> None:
        """Try all suspended products: after a start, and with each revision of the catalog."""
        self._asked = sorted(judging.suspended)
        self._judges.clear()

    def step(self, connection: Connection, judging: Judging, record: Record, now: datetime) -> None:
        """Judge some of what waits of one product, and save its state with it; resume it when nothing waits."""
        if not self._asked:
            return
        product_id = self._asked[0]
        # Out of the memory until its commit is known: a step that breaks off begins anew with what is saved.
        held = self._judges.pop(product_id, None)
        # No longer suspended: the answer to the commit that ended it got lost, and all that is saved counts.
        kept = None if held else kept_rules(connection, product_id)
        saved = () if held else rules.snapshot(connection, product_id)
        waiting = unjudged(connection, product_id, BATCHES_A_STEP, _BYTES_A_STEP)
        found: list[tuple[int, list[Change]]] = []
        try:
            product = held or judging.rebuilt(product_id, saved, kept)
            for seq, readings in waiting:
                verdict = product.judge(product.known(Readings.from_bytes(readings)))
                product.apply(verdict)
                found.append((seq, verdict.changes))
            with connection.transaction():
                for seq, changes in found:
                    record(changes, product.versions, seq)
                judging.save(connection, product.dumps(product_id))
                saved_under(connection, product_id, list(product.versions))
                more = bool(waiting) and drop_judged(connection, product_id, waiting[-1][0])
                if not more:
                    resume(connection, product_id)
        except (MemoryError, *TROUBLES):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other products go on
            self._asked.remove(product_id)
            with connection.transaction():
                _tell(connection, judging, {product_id: reason(error)}, now)
            return
        judging.saved()
        product.dirty.clear()
        if more:
            self._judges[product_id] = product
            return
        self._asked.remove(product_id)
        judging.resume(product_id, product)
        log.info("Product %d is judged again (stage=judge).", product_id)


def newest_revision(connection: Connection, judging: Judging) -> Revision | None:
    """The newest revision of the catalog, if it is another than the one judged by."""
    number = catalog.newest(connection)
    return None if number == judging.revision.number else read_revision(connection, number)
