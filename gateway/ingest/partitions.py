"""Partitions for what was stored without them: journaled readings, and state saved by an older version."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gateway.core.partition import PARTITIONS, partition_of
from gateway.core.readings import Ints, Parts, Readings
from gateway.ingest.judging import SavedPart, SavedParts
from gateway.registrations import repository as registrations
from gateway.rules import repository as rules
from gateway.rules.repository import Saved
from gateway.rules.state import Part, assembled, dump, read_dump
from gateway.store import Connection


class UnitPartitions:
    """The partitions of units by their numbers, each looked up once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._of: dict[int, int] = {}

    def of(self, units: Ints) -> Parts:
        """The partition of each unit, unit by unit."""
        distinct, nth = np.unique(units, return_inverse=True)
        new = [unit for unit in distinct.tolist() if unit not in self._of]
        if new:
            keys = registrations.unit_keys(self._connection, new)
            self._of |= {unit: partition_of(*key) for unit, key in keys.items()}
        return np.array([self._of[unit] for unit in distinct.tolist()], np.int16)[nth]

    def placed(self, readings: Mapping[int, Readings]) -> dict[int, Readings]:
        """The readings, with the partitions of their units."""
        return {product_id: replace(batch, partition=self.of(batch.unit)) for product_id, batch in readings.items()}


def read_saved(connection: Connection, product_id: int, saved: Sequence[Saved]) -> SavedParts:
    """Returns a product's saved state by partition; raises what is wrong with it.

    State saved by an older version is first put into today's partitions, once.
    """
    if any(each.seq is None for each in saved):
        dumps = _rearranged(saved, UnitPartitions(connection))
        with connection.transaction():
            rules.drop_snapshots(connection, product_id)
            rules.save(connection, 0, [(product_id, partition, state) for partition, state in dumps])
        return read_saved(connection, product_id, rules.snapshot(connection, product_id))
    return {each.partition: SavedPart(each.seq or 0, read_dump(each.state, each.partition)) for each in saved}


def _rearranged(saved: Sequence[Saved], units: UnitPartitions) -> list[tuple[int, bytes]]:
    parts: list[Part] = [read_dump(each.state, 0) for each in saved]
    placed = [replace(part, partition=units.of(part.unit)) for part in parts]
    versions = np.unique(np.concatenate([part.version for part in parts]))
    metrics = np.unique(np.concatenate([part.metrics for part in parts]))
    state = assembled(versions, metrics, placed)
    return [(partition, dump(state, partition)) for partition in range(PARTITIONS)]
