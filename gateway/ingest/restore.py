"""The rule state after a start, a change of the catalog or a product's trouble, restored from saves and journal."""

import logging
from collections.abc import Container, Mapping
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
    suspended_at,
    unjudged,
)
from gateway.config import Settings
from gateway.core.readings import Readings
from gateway.ingest import repository
from gateway.ingest.journal import split
from gateway.ingest.judging import (
    Judged,
    Judging,
    ProductJudge,
    Revision,
    SavedPart,
    SavedParts,
    Troubles,
    read_revision,
    reason,
    save_product,
)
from gateway.ingest.partitions import UnitPartitions, read_saved
from gateway.ingest.repository import Journaled
from gateway.rules import repository as rules
from gateway.rules.changes import record_changes
from gateway.rules.repository import Mark
from gateway.store import TROUBLES, Connection

log = logging.getLogger(__name__)

BATCHES_A_STEP = 500
_BYTES_A_STEP = 5_000_000
"""Of unjudged readings: a step takes some hundred milliseconds."""


def restore(connection: Connection, settings: Settings, now: datetime) -> Judging:
    """Returns the state after the last committed batch: the saved one, with the later journal judged again.

    Each batch is judged under the catalog of its time. A partition is taken up at the batch after which it was saved;
    its readings in earlier batches are left out.
    """
    marks = rules.marks(connection)
    first = min(marks.values(), key=lambda mark: mark.seq)
    waiting_after = suspended_at(connection)
    saved, unreadable = _saved_parts(connection, marks, waiting_after.keys())
    stops = {each.seq for parts in saved.values() for each in parts.values()} | {mark.seq for mark in marks.values()}
    judging, troubles = Judging.load(
        read_revision(connection, first.revision), first.seq, waiting_after.keys() | unreadable.keys(), saved
    )
    _suspend_now(connection, judging, unreadable | troubles, now)
    units = UnitPartitions(connection)
    for row in repository.journal_after(connection, first.seq):
        if row.revision > judging.revision.number:
            judging = _follow_again(connection, judging, row, now)
        elif judging.suspended or _is_behind(row, marks):
            readings = units.placed(split(row.readings))
            judged = judge(connection, judging, judging.known(readings), now)
            with connection.transaction():
                # All of them are known.
                record_changes(connection, judged.changes, judged.versions, now, settings.historic_after, row.seq)
                kept = {
                    number: each for number, each in judged.unjudged.items() if waiting_after.get(number, 0) < row.seq
                }
                keep_unjudged(connection, row.seq, kept)
            judging.apply(judged.verdicts, row.seq)
        judging.seq = row.seq
        if row.seq in stops:
            _suspend_now(connection, judging, judging.reach(row.seq), now)
    _suspend_now(connection, judging, judging.reach(max(stops | {judging.seq})), now)
    return judging


def _is_behind(row: Journaled, marks: Mapping[int, Mark]) -> bool:
    """Whether some partition of the batch was last saved before it."""
    return row.partitions is None or any(marks[partition].seq < row.seq for partition in row.partitions)


def _saved_parts(
    connection: Connection, marks: Mapping[int, Mark], suspended: Container[int]
) -> tuple[dict[int, SavedParts], Troubles]:
    """Returns the saved state of the judged products, by partition, and the products whose state cannot be read."""
    found: dict[int, SavedParts] = {}
    troubles: Troubles = {}
    for product_id, saved in rules.snapshots(connection).items():
        if product_id in suspended:
            continue
        try:
            found[product_id] = {
                partition: SavedPart(max(each.seq, marks[partition].seq), each.part)  # since then it is unchanged
                for partition, each in read_saved(connection, product_id, saved).items()
            }
        except (MemoryError, *TROUBLES):
            raise
        except Exception as error:  # noqa: BLE001 - the other products go on
            troubles[product_id] = reason(error)
    return found, troubles


def _suspend_now(connection: Connection, judging: Judging, troubles: Troubles, now: datetime) -> None:
    if troubles:
        with connection.transaction():
            _tell(connection, judging, troubles, now)


def judge(connection: Connection, judging: Judging, readings: Mapping[int, Readings], now: datetime) -> Judged:
    """Judge a batch. A product that cannot be judged is suspended, and the others go on."""
    judged = judging.judge(readings)
    if judged.troubles:
        with connection.transaction():
            _save_and_tell(connection, judging, judged.troubles, now)
        judging.set_aside(list(judged.troubles))
        judged = judging.judge(readings)
    return judged


def follow(connection: Connection, judging: Judging, revision: Revision, now: datetime) -> Judging:
    """Take over another revision of the catalog, and note it in the journal, so that a replay does it at that place."""
    seq = judging.seq + 1
    committed = repository.committed_revision(connection, seq)  # the answer to the first try was lost
    if committed is not None:
        revision = read_revision(connection, committed)
    changed, troubles = judging.in_step(revision, seq)
    with connection.transaction():
        if committed is None:
            repository.write_journal(connection, seq, revision.number, (), b"", b"")
        _save_and_tell(connection, judging, troubles, now)
        narrow(connection, changed.in_force(), seq)
        changed.retire(connection, now)
    log.info("Revision %d of the product catalog is judged by (stage=judge).", revision.number)
    return changed


def _follow_again(connection: Connection, judging: Judging, row: Journaled, now: datetime) -> Judging:
    """Take over a revision in a replay. The alarms that it cleared are cleared already."""
    changed, troubles = judging.in_step(read_revision(connection, row.revision), row.seq)
    troubles |= changed.reach(row.seq)  # also products that are new with this revision
    with connection.transaction():
        _save_and_tell(connection, judging, troubles, now)
        narrow(connection, changed.in_force(), row.seq)
    return changed


def _save_and_tell(tx: Connection, judging: Judging, troubles: Troubles, now: datetime) -> None:
    """Suspend products, and save their state before the trouble, from which they are resumed."""
    for product_id in troubles:
        judging.save_product(tx, product_id)
    _tell(tx, judging, troubles, now)


def _tell(tx: Connection, judging: Judging, troubles: Troubles, now: datetime) -> None:
    suspend(tx, troubles, judging.rule_ids, judging.seq, now)
    for product_id, why in troubles.items():
        log.error("Product %d is suspended, its readings are stored and wait: %s (stage=judge).", product_id, why)


class Resuming:
    """Tries suspended products again: their waiting readings are judged step by step, then the product is resumed."""

    def __init__(self) -> None:
        self._asked: list[int] = []
        self._judges: dict[int, ProductJudge] = {}
        """By product id; of products whose waiting readings were judged in part."""

    def ask(self, judging: Judging) -> None:
        """Try all suspended products: after a start, and with each revision of the catalog."""
        self._asked = sorted(judging.suspended)
        self._judges.clear()

    def step(self, connection: Connection, judging: Judging, settings: Settings, now: datetime) -> None:
        """Judge some waiting readings of one product and save its state; resume it when none wait."""
        if not self._asked:
            return
        product_id = self._asked[0]
        # Taken out until its commit is known: a step that fails begins anew with what is saved.
        held = self._judges.pop(product_id, None)
        # None if it is no longer suspended: the answer to the last commit was lost, and all saved rules count.
        kept = None if held else kept_rules(connection, product_id)
        saved = [] if held else rules.snapshot(connection, product_id)
        waiting = unjudged(connection, product_id, BATCHES_A_STEP, _BYTES_A_STEP)
        try:
            product = held or judging.rebuilt(product_id, read_saved(connection, product_id, saved), kept)
            units = UnitPartitions(connection)
            changes_by_batch = [
                (seq, product.catch_up(units.placed({product_id: Readings.from_bytes(content)})[product_id]))
                for seq, content in waiting
            ]
            with connection.transaction():
                for seq, changes in changes_by_batch:
                    record_changes(connection, changes, product.versions, now, settings.historic_after, seq)
                # Saved as of now: a replay passes over the revisions before.
                save_product(connection, judging.seq, product_id, product)
                saved_under(connection, product_id, list(product.versions), judging.seq)
                more = bool(waiting) and drop_judged(connection, product_id, waiting[-1][0])
                if not more:
                    resume(connection, product_id)
        except (MemoryError, *TROUBLES):
            raise
        except Exception as error:  # noqa: BLE001 - the other products go on
            self._asked.remove(product_id)
            with connection.transaction():
                _tell(connection, judging, {product_id: reason(error)}, now)
            return
        product.dirty.clear()
        if more:
            self._judges[product_id] = product
            return
        judging.resume(product_id, product)
        self._asked.remove(product_id)
        log.info("Product %d is judged again (stage=judge).", product_id)


def newest_revision(connection: Connection, judging: Judging) -> Revision | None:
    """The newest revision of the catalog, if it is another than the one judged by."""
    number = catalog.newest(connection)
    return None if number == judging.revision.number else read_revision(connection, number)
