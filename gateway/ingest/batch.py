"""A micro-batch on its way: messages become columns of readings, and what else they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gateway.core.clock import from_us
from gateway.core.readings import EMPTY, Flags, Readings
from gateway.m2m.counted import UnitNumber
from gateway.m2m.decoders import decode
from gateway.m2m.device import Device, Limits
from gateway.m2m.message import Heard, Message, Reading, Rejected
from gateway.m2m.redelivery import ENTRY_BYTES
from gateway.registrations.firmware import Report
from gateway.rules.evaluator import Verdict

_READING = np.dtype([("metric", np.int16), ("time", np.int64), ("value", np.float64)])
_Sender = tuple[int, int, int, int]
_SENDER = np.dtype([("product", np.int64), ("partition", np.int16), ("unit", np.int64), ("received", np.int64)])

REFUSED_BY_STORE = "refused_by_store"
"""The reason of a message that the database does not take."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a number of messages hold."""

    entries: bytes
    """The journal's, of all messages."""
    readings: Readings = EMPTY
    """One product after the other, and those of one in arrival order."""
    by_product: Mapping[int, Readings] = field(default_factory=dict)
    """The same, in parts."""
    refused: Sequence[tuple[Message, Rejected]] = ()
    heard: Sequence[Heard] = ()
    """The messages of known units."""
    firmware: Mapping[int, Report] = field(default_factory=dict)
    """The last report of each unit, by unit id; a replayed one counts only without another."""
    retried: Sequence[int] = ()
    """The quarantine numbers of messages that are tried again; a batch holds only such messages, or none."""
    numbers: Sequence[UnitNumber] = ()
    """Those that devices gave their messages, also refused ones."""
    messages: int = 0
    """How many of the given messages it holds; the others belong to the next batch."""

    def marks(self, verdicts: Mapping[int, Verdict]) -> tuple[Flags, Flags]:
        """Which readings are late, and which may be stored already: late, or a second of the same moment.

        Without a verdict it is not known what is stored.
        """
        late = np.zeros(len(self.readings), np.bool_)
        known = np.ones(len(self.readings), np.bool_)
        begin = 0
        for product_id, readings in self.by_product.items():
            part = slice(begin, begin := begin + len(readings))
            if verdict := verdicts.get(product_id):
                late[part] = verdict.late
                known[part] = verdict.late | verdict.repeat
        return late, known


def refused_alone(batch: Batch, message: Message, device: Device | Rejected, error: Exception) -> Batch:
    """The batch of one message that the database refused: nothing of it but its place in quarantine."""
    # The owner sees this; the database's words are for support.
    shown = Rejected(REFUSED_BY_STORE, "it could not be stored; support can see why")
    number = message.quarantined
    return Batch(
        batch.entries,
        refused=[(message, Rejected(shown.reason, str(error)[:1_000]))],
        heard=[] if number or isinstance(device, Rejected) else [Heard(device.unit_id, message, shown)],
        retried=[number] if number else [],
        numbers=batch.numbers,
        messages=1,
    )


def decode_batch(
    messages: Sequence[Message], devices: Mapping[str, Device | Rejected], limits: Limits, entries: bytes
) -> Batch:
    """Decode messages whose topics were looked up, until they bring more readings than a batch may have.

    Nothing in a message can raise. `entries` are the journal's of all messages; the batch holds those of its own.
    """
    readings: list[Reading] = []
    senders: list[_Sender] = []
    counts: list[int] = []
    refused: list[tuple[Message, Rejected]] = []
    heard: list[Heard] = []
    firmware: dict[int, Report] = {}
    numbers: list[UnitNumber] = []
    decoded = 0
    for message in messages:
        if len(readings) >= limits.batch_readings:
            break
        decoded += 1
        device = devices[message.topic]
        if isinstance(device, Rejected):
            refused.append((message, device))
            continue
        content = decode(message, device, limits)
        if content.firmware is not None:
            _report(firmware, device.unit_id, content.firmware, message)
        if content.numbers:
            numbers += [(device.unit_id, message.topic, number) for number in content.numbers]
        heard.append(Heard(device.unit_id, message, content.rejected, content.ignored))
        if content.rejected:
            refused.append((message, content.rejected))
        if content.readings:
            readings += content.readings
            senders.append((device.product_id, device.partition, device.unit_id, message.received_us))
            counts.append(len(content.readings))
    is_retry = messages[0].quarantined > 0  # then its unit was heard before, and not now
    joined, by_product = _columns(readings, senders, counts)
    return Batch(
        entries[: ENTRY_BYTES * sum(message.packet_id > 0 for message in messages[:decoded])],
        joined,
        by_product,
        refused,
        [] if is_retry else heard,
        firmware,
        [message.quarantined for message in messages[:decoded]] if is_retry else [],
        numbers,
        decoded,
    )


def _columns(
    readings: Sequence[Reading], senders: Sequence[_Sender], counts: Sequence[int]
) -> tuple[Readings, dict[int, Readings]]:
    """The readings of messages as columns, and their parts by product; `counts` are those of each message."""
    rows = np.array(readings, _READING)
    sender = np.repeat(np.array(senders, _SENDER), counts)
    product_ids = np.unique(sender["product"])
    if len(product_ids) > 1:
        order = np.argsort(sender["product"], kind="stable")
        rows, sender = rows[order], sender[order]
    joined = Readings(
        sender["unit"], rows["metric"], rows["time"], rows["value"], sender["partition"], sender["received"]
    )
    begins = np.searchsorted(sender["product"], product_ids).tolist()
    ends = np.searchsorted(sender["product"], product_ids, side="right").tolist()
    spans = zip(product_ids.tolist(), begins, ends, strict=True)
    return joined, {product_id: joined[begin:end] for product_id, begin, end in spans}


def _report(firmware: dict[int, Report], unit_id: int, reported: str, message: Message) -> None:
    """Keep the last report of a unit; a replayed one only where there is no other."""
    replayed = message.retained or message.quarantined > 0
    if not replayed or unit_id not in firmware or firmware[unit_id].replayed:
        firmware[unit_id] = Report(reported, from_us(message.received_us), replayed)
