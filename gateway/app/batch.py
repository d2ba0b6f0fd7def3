"""A micro-batch on its way: messages become columns, and the evaluator's marks decide each reading's road."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from gateway.m2m.counted import UnitNumber
from gateway.m2m.decode import Device, Limits, Reading, decode, decode_status
from gateway.m2m.message import Heard, Message, Rejected
from gateway.m2m.repository import Column, Columns
from gateway.m2m.topics import is_status
from gateway.rules.evaluator import Verdict
from gateway.rules.state import Readings

_US_A_DAY = 86_400_000_000
_ROW = np.dtype(
    [
        ("product", np.int64),
        ("unit", np.int64),
        ("metric", np.int16),
        ("time", np.int64),
        ("value", np.float64),
        ("received", np.int64),
    ]
)

BatchRow = tuple[int, int, int, int, float, int]
"""Product, unit, metric, time, value, received."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings in arrival order, the messages refused, the journal's entries of all, and those of known units."""

    rows: Column
    refused: list[tuple[Message, Rejected]]
    entries: bytes
    heard: Sequence[Heard]
    firmware: Mapping[int, str]
    """What units reported, by unit id; of several reports the last one."""
    retried: Sequence[int] = ()
    """The numbers in quarantine of messages that are tried again; a batch holds none else, or none of them."""
    numbers: Sequence[UnitNumber] = ()
    """Those that devices gave their messages, of refused ones too."""

    def by_product(self) -> dict[int, Readings]:
        """The readings of each product, for the evaluator."""
        rows = self.rows
        return {
            product_id: Readings.of(own["unit"], own["metric"], own["time"], own["value"])
            for product_id in np.unique(rows["product"]).tolist()
            for own in [rows[rows["product"] == product_id]]
        }

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
    firmware: Mapping[int, str] | None = None,
    retried: Sequence[int] = (),
    numbers: Sequence[UnitNumber] = (),
) -> Batch:
    """A batch of these rows."""
    return Batch(np.array(rows, _ROW), refused, entries, heard, firmware or {}, retried, numbers)


def decode_batch(
    messages: Sequence[Message], devices: Mapping[str, Device | Rejected], limits: Limits, entries: bytes
) -> Batch:
    """Decode messages whose topics were looked up; nothing in a message can raise."""
    rows: list[BatchRow] = []
    refused: list[tuple[Message, Rejected]] = []
    heard: list[Heard] = []
    firmware: dict[int, str] = {}
    counted: list[UnitNumber] = []
    for message in messages:
        device = devices[message.topic]
        if isinstance(device, Rejected):
            refused.append((message, device))
            continue
        if is_status(message.topic):
            reported = decode_status(message, limits)
            readings: list[Reading] = []
            rejected = reported if isinstance(reported, Rejected) else None
            if isinstance(reported, str):
                firmware[device.unit_id] = reported
        else:
            readings, numbers, rejected = decode(message, device, limits)
            if numbers:
                counted += [(device.unit_id, message.topic, number) for number in numbers]
        heard.append(Heard(device.unit_id, message, rejected))
        if rejected:
            refused.append((message, rejected))
        rows += [
            (device.product_id, device.unit_id, metric, time_us, value, message.received_us)
            for metric, time_us, value in readings
        ]
    if messages[0].quarantined:  # its unit was heard then, and not now
        tried = [message.quarantined for message in messages]
        return make_batch(rows, refused, entries, (), firmware, tried, counted)
    return make_batch(rows, refused, entries, heard, firmware, numbers=counted)
