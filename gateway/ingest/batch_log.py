"""Logs and counts a batch."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from gateway import metrics
from gateway.core.clock import to_us
from gateway.ingest.batch import Batch
from gateway.m2m.message import Message
from gateway.rules.evaluator import Change

log = logging.getLogger(__name__)


def log_batch(level: int, batch: Batch, messages: Sequence[Message], changes: Sequence[Change], now: datetime) -> None:
    """Log the stages before `store`."""
    if log.isEnabledFor(level):
        age = (to_us(now) - messages[0].received_us) / 1e6
        log.log(level, "%d messages, the oldest from %.3f s ago (stage=receive).", len(messages), age)
        log.log(level, "%d readings, %d messages refused (stage=decode).", len(batch.readings), len(batch.refused))
        log.log(level, "%d alarm changes (stage=judge).", len(changes))


def count_batch(batch: Batch, messages: int, changes: Sequence[Change]) -> None:
    """Count a batch of so many messages that was committed."""
    readings = batch.readings
    metrics.BATCH.observe(messages)
    metrics.STORED.inc(messages)
    metrics.READINGS.inc(len(readings))
    if not batch.retried:
        metrics.IGNORED.inc(sum(bool(each.ignored) for each in batch.heard))
        for reason, many in Counter(rejected.reason for _, rejected in batch.refused).items():
            metrics.REFUSED.labels(reason).inc(many)
        if len(readings):
            metrics.DEVICE_LAG.set(float(np.median(readings.received - readings.time)) / 1e6)
    for change in changes:
        metrics.ALARMS.labels(change.kind).inc()
