"""One transaction holds all that a batch changes: readings, journal, alarms and their events, quarantine, the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from gateway.catalog.repository import keep_unjudged
from gateway.config import Settings
from gateway.ingest import quarantine, repository
from gateway.ingest.batch import Batch
from gateway.ingest.journal import journaled
from gateway.ingest.judging import Judged
from gateway.m2m.counted import Receipt
from gateway.m2m.message import Heard
from gateway.readings.repository import store_readings
from gateway.registrations.firmware import take_firmware
from gateway.rules.changes import record_changes
from gateway.store import Connection, UniqueViolation
from gateway.store.timeseries import TimeSeries

DAYS_ON_THE_ROAD = 2
"""Made before a batch is stored, for today and one that a clock is behind or ahead; readings of others wait."""


@dataclass(frozen=True, slots=True)
class NumberedBatch:
    """A batch with all that is stored of it."""

    seq: int
    revision: int
    """Of the catalog that it was judged under."""
    batch: Batch
    judged: Judged
    last_messages: Sequence[Heard]
    receipts: Mapping[int, Receipt]


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did: alarm changes and firmware reports that somebody waits for, messages put to quarantine."""

    waited_for: int
    quarantined: int


def commit(
    connection: Connection, series: TimeSeries, numbered: NumberedBatch, settings: Settings, now: datetime
) -> Committed:
    """Store a batch, once: a batch whose commit was answered too late is found in the journal."""
    seq, batch, judged = numbered.seq, numbered.batch, numbered.judged
    readings = batch.readings
    content = journaled(batch.by_product)
    if repository.is_committed(connection, seq, content, batch.entries):
        return Committed(waited_for=1, quarantined=0)
    late, known = batch.marks(judged.verdicts)
    without_room = series.make_few(readings.days(), DAYS_ON_THE_ROAD)

    def store(*, all_known: bool) -> Committed:
        with connection.transaction():
            partitions = np.unique(readings.partition).tolist()
            repository.write_journal(connection, seq, numbered.revision, partitions, content, batch.entries)
            keep_unjudged(connection, seq, judged.unjudged)
            conflicts = store_readings(
                connection, readings, late, known, all_known=all_known, without_room=without_room
            )
            quarantined = _settle_refused(connection, batch, settings)
            repository.keep_last(connection, numbered.last_messages, settings.last_message_bytes, conflicts)
            repository.write_receipts(connection, numbered.receipts)
            reported = take_firmware(connection, batch.firmware)
            recorded = record_changes(connection, judged.changes, judged.versions, now, settings.historic_after, seq)
            return Committed(reported + recorded, quarantined)

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
