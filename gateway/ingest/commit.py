"""One transaction holds all that a batch changes: readings, journal, alarms and their events, quarantine, the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.catalog.repository import keep_unjudged
from gateway.config import Settings
from gateway.ingest import quarantine, repository
from gateway.ingest.batch import Batch
from gateway.m2m.counted import Receipt
from gateway.m2m.message import Heard
from gateway.readings.repository import Columns, store_readings
from gateway.registrations.firmware import take_firmware
from gateway.rules.evaluator import Change
from gateway.rules.repository import RuleVersion
from gateway.store import Connection, UniqueViolation
from gateway.store.timeseries import TimeSeries

DAYS_ON_THE_ROAD = 2
"""Made before a batch is stored, for today and one that a clock is behind or ahead; readings of others wait."""

Record = Callable[[Sequence[Change], Mapping[int, RuleVersion], int], int]
"""Writes alarm changes of these rule versions, found in a batch; returns how many were written."""


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """A batch with all that is stored of it."""

    seq: int
    revision: int
    """Of the catalog that it was judged under."""
    batch: Batch
    columns: Columns
    journaled: bytes
    partitions: Sequence[int]
    unjudged: Mapping[int, bytes]
    """The readings of suspended products, by product."""
    changes: list[Change]
    versions: Mapping[int, RuleVersion]
    last_messages: list[Heard]
    receipts: Mapping[int, Receipt]


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did: alarm changes and firmware reports that somebody waits for, messages put to quarantine."""

    told: int
    quarantined: int


def commit(
    connection: Connection, series: TimeSeries, judged: JudgedBatch, settings: Settings, record: Record
) -> Committed:
    """Store a batch, once: a batch whose commit was answered too late is found in the journal."""
    if repository.is_committed(connection, judged.seq, judged.journaled, judged.batch.entries):
        return Committed(told=1, quarantined=0)
    without_room = series.make_few(judged.batch.days(), DAYS_ON_THE_ROAD)

    def store(*, all_known: bool) -> Committed:
        with connection.transaction():
            repository.write_journal(
                connection, judged.seq, judged.revision, judged.partitions, judged.journaled, judged.batch.entries
            )
            keep_unjudged(connection, judged.seq, judged.unjudged)
            conflicts = store_readings(connection, judged.columns, all_known=all_known, without_room=without_room)
            quarantined = _settle_refused(connection, judged.batch, settings)
            repository.keep_last(connection, judged.last_messages, settings.last_message_bytes, conflicts)
            repository.write_receipts(connection, judged.receipts)
            reported = take_firmware(connection, judged.batch.firmware)
            return Committed(reported + record(judged.changes, judged.versions, judged.seq), quarantined)

    try:
        return store(all_known=False)
    except UniqueViolation:
        # Something newer than we knew is stored: only the road that looks can take this batch.
        return store(all_known=True)


def _settle_refused(connection: Connection, batch: Batch, settings: Settings) -> int:
    if batch.retried:
        quarantine.settle_retry(connection, batch.retried, batch.refused)
        return 0
    return quarantine.quarantine(
        connection, batch.refused, settings.quarantine_payload_bytes, settings.quarantine_per_unit
    )
