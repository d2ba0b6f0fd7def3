"""A micro-batch on its way: messages become columns, and the evaluator's marks decide each reading's road."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from gateway.core.clock import from_us
from gateway.m2m.counted import UnitNumber
from gateway.m2m.decoders import decode
from gateway.m2m.device import Device, Limits
from gateway.m2m.message import Heard, Message, Rejected
from gateway.m2m.redelivery import ENTRY_BYTES
from gateway.readings.repository import Column, Columns
from gateway.registrations.firmware import Report
from gateway.rules.evaluator import Verdict
from gateway.rules.state import Readings

_US_A_DAY = 86_400_000_000
_ROW = np.dtype(
    [
        ("product", np.int64),
        ("partition", np.int16),
        ("unit", np.int64),
        ("metric", np.int16),
        ("time", np.int64),
        ("value", np.float64),
        ("received", np.int64),
    ]
)

REFUSED_BY_STORE = "refused_by_store"
"""The reason of a message that the database does not take."""

BatchRow = tuple[int, int, int, int, int, float, int]
"""Product, partition, unit, metric, time, value, received."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings in arrival order, the messages refused, the journal's entries of all, and those of known units."""

    rows: Column
    refused: list[tuple[Message, Rejected]]
    entries: bytes
    heard: Sequence[Heard]
    firmware: Mapping[int, Report]
    """What units reported, by unit id; of several reports the last one, and one that is replayed only alone."""
    retried: Sequence[int] = ()
    """The numbers in quarantine of messages that are tried again; a batch holds none else, or none of them."""
    numbers: Sequence[UnitNumber] = ()
    """Those that devices gave their messages, of refused ones too."""
    messages: int = 0
    """So many of the messages given it holds; the rest is of the next batch."""

    def by_product(self) -> dict[int, Readings]:
        """The readings of each product, for the evaluator."""
        rows = self.rows
        return {
            product_id: Readings.of(own["unit"], own["metric"], own["time"], own["value"], own["partition"])
            for product_id in np.unique(rows["product"]).tolist()
            for own in [rows[rows["product"] == product_id]]
        }

    def partitions(self) -> list[int]:
        """The partitions that its readings are of."""
        return np.flatnonzero(np.bincount(self.rows["partition"])).tolist()

    def marked(self, verdicts: Mapping[int, Verdict]) -> Columns:
        """The readings as they are stored: late ones marked, and those that may be there already."""
        rows = self.rows
        late = np.zeros(len(rows), np.bool_)
        known = np.ones(len(rows), np.bool_)  # where there is no verdict, nobody knows what is stored
        for product_id, verdict in verdicts.items():
            own = rows["product"] == product_id
            late[own] = verdict.late
            known[own] = verdict.late | verdict.repeat
        return Columns(
            unit=rows["unit"],
            metric=rows["metric"],
            time=rows["time"],
            value=rows["value"],
            received=rows["received"],
            late=late,
            known=known,
        )

    def device_lag_s(self) -> float:
        """Seconds from the devices' own times to the arrival, the median; below 0 where their clocks are ahead."""
        return float(np.median(self.rows["received"] - self.rows["time"])) / 1e6

    def days(self) -> list[date]:
        """The UTC days its readings fall on."""
        return [
            datetime.fromtimestamp(day * 86_400, UTC).date()
            for day in np.unique(self.rows["time"] // _US_A_DAY).tolist()
        ]


def make_batch(
    rows: Sequence[BatchRow],
    refused: list[tuple[Message, Rejected]],
    entries: bytes,
    heard: Sequence[Heard] = (),
    firmware: Mapping[int, Report] | None = None,
    retried: Sequence[int] = (),
    numbers: Sequence[UnitNumber] = (),
    messages: int = 0,
) -> Batch:
    """A batch of these rows."""
    return Batch(np.array(rows, _ROW), refused, entries, heard, firmware or {}, retried, numbers, messages)


def refused_alone(batch: Batch, message: Message, device: Device | Rejected, error: Exception) -> Batch:
    """The batch of one message that the database refused: nothing of it but its place in quarantine."""
    own = Rejected(REFUSED_BY_STORE, "it could not be stored; support can see why")  # not our words to its owner
    number = message.quarantined
    heard = [] if number or isinstance(device, Rejected) else [Heard(device.unit_id, message, own)]
    kept = [(message, Rejected(own.reason, str(error)[:1_000]))]
    tried = [number] if number else ()
    return make_batch([], kept, batch.entries, heard, retried=tried, numbers=batch.numbers, messages=1)


def decode_batch(
    messages: Sequence[Message], devices: Mapping[str, Device | Rejected], limits: Limits, entries: bytes
) -> Batch:
    """Decode messages whose topics were looked up, until they bring more readings than a batch may have.

    Nothing in a message can raise. `entries` are the journal's of all messages; the batch holds those of its own.
    """
    rows: list[BatchRow] = []
    refused: list[tuple[Message, Rejected]] = []
    heard: list[Heard] = []
    firmware: dict[int, Report] = {}
    counted: list[UnitNumber] = []
    decoded = 0
    for message in messages:
        if len(rows) >= limits.batch_readings:
            break
        decoded += 1
        device = devices[message.topic]
        if isinstance(device, Rejected):
            refused.append((message, device))
            continue
        readings, numbers, rejected, ignored, reported = decode(message, device, limits)
        if reported is not None:
            _report(firmware, device.unit_id, reported, message)
        if numbers:
            counted += [(device.unit_id, message.topic, number) for number in numbers]
        heard.append(Heard(device.unit_id, message, rejected, ignored))
        if rejected:
            refused.append((message, rejected))
        rows += [
            (device.product_id, device.partition, device.unit_id, metric, time_us, value, message.received_us)
            for metric, time_us, value in readings
        ]
    own = entries[: ENTRY_BYTES * sum(message.packet_id > 0 for message in messages[:decoded])]
    if messages[0].quarantined:  # its unit was heard then, and not now
        tried = [message.quarantined for message in messages[:decoded]]
        return make_batch(rows, refused, own, (), firmware, tried, counted, decoded)
    return make_batch(rows, refused, own, heard, firmware, numbers=counted, messages=decoded)


def _report(firmware: dict[int, Report], unit_id: int, reported: str, message: Message) -> None:
    """Let the last report of a unit stand; what is replayed stands only where nothing was heard."""
    replayed = message.retained or message.quarantined > 0
    if not replayed or unit_id not in firmware or firmware[unit_id].replayed:
        firmware[unit_id] = Report(reported, from_us(message.received_us), replayed)
