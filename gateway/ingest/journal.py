"""The readings of a batch as the journal keeps them."""

from collections.abc import Mapping

import numpy as np

from gateway.core.readings import JOURNALED_BYTES, Readings


def journaled(readings: Mapping[int, Readings]) -> bytes:
    """A batch as the journal keeps it: product, length and readings, one product after the other."""
    return b"".join(
        np.array([product_id, len(batch)], "<i8").tobytes() + batch.to_bytes()
        for product_id, batch in readings.items()
        if len(batch)
    )


def split(content: bytes) -> dict[int, Readings]:
    """What `journaled` wrote."""
    readings = {}
    place = 0
    while place < len(content):
        product_id, length = np.frombuffer(content, "<i8", 2, place).tolist()
        place += 16
        readings[product_id] = Readings.from_bytes(content[place : place + length * JOURNALED_BYTES])
        place += length * JOURNALED_BYTES
    return readings
