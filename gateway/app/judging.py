"""The rules in force and the evaluator's state of every product: loaded, kept in step, saved."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np

from gateway.app.catalog import rule_metrics
from gateway.registrations.model import Product
from gateway.rules import repository as rules
from gateway.rules.evaluator import Change, Verdict, judge
from gateway.rules.repository import InForce, Mark, RuleVersion
from gateway.rules.state import PARTITIONS, Readings, State, dump, load
from gateway.rules.table import RuleTable, compile_rules
from gateway.store import Connection

Verdicts = dict[int, Verdict]


class Judging:
    """One table and one state a product. Judging changes nothing; `apply` does, after the commit."""

    def __init__(self, products: list[Product], versions: list[RuleVersion], mark: Mark) -> None:
        self.versions = {version.id: version for version in versions}
        self.mark = mark
        self._tables = {product.id: _table(product, versions) for product in products}
        self._states: dict[int, State] = {
            product_id: State.empty(table.versions, table.metrics) for product_id, table in self._tables.items()
        }
        self._dirty: set[tuple[int, int]] = set()

    @classmethod
    def load(cls, connection: Connection, products: list[Product]) -> "Judging":
        """The state as last saved, under the rules of that time."""
        mark = rules.mark(connection)
        judging = cls(products, rules.versions(connection, mark.versions), mark)
        for product_id, dumps in rules.snapshots(connection).items():
            table = judging._tables[product_id]
            judging._states[product_id] = load(table.versions, table.metrics, dumps)
        return judging

    def judge(self, readings: Mapping[int, Readings]) -> Verdicts:
        """A verdict for each product's readings; the state stays as it is."""
        return {
            product_id: judge(self._states[product_id], self._tables[product_id], batch)
            for product_id, batch in readings.items()
        }

    def apply(self, verdicts: Verdicts, seq: int) -> None:
        """Take over what was committed as batch `seq`."""
        for product_id, verdict in verdicts.items():
            self._states[product_id].apply(verdict.delta)
            self._dirty |= {(product_id, partition) for partition in verdict.delta.partitions()}
        self.mark = replace(self.mark, seq=seq)

    def changes(self, verdicts: Verdicts) -> list[Change]:
        """All alarm changes of a batch, in the order of their readings' time."""
        found = [change for verdict in verdicts.values() for change in verdict.changes]
        return sorted(found, key=lambda change: (change.at, change.version_id, change.unit_id))

    def replay(self, journaled: bytes, seq: int) -> list[Change]:
        """Judge a batch of the journal again, after a restart; answers its changes."""
        verdicts = self.judge(split_journal(journaled))
        self.apply(verdicts, seq)
        return self.changes(verdicts)

    def in_step(self, connection: Connection, products: list[Product], wanted: InForce) -> "Judging":
        """The same knowledge under the rules now in force; what belongs to rules and metrics that stay is kept."""
        mark = replace(self.mark, versions=wanted.versions)
        judging = Judging(products, rules.versions(connection, wanted.versions), mark)
        for product_id, table in judging._tables.items():
            if product_id in self._states:
                judging._states[product_id] = self._states[product_id].for_rules(table.versions, table.metrics)
        judging._dirty = {(product_id, partition) for product_id in judging._tables for partition in range(PARTITIONS)}
        return judging

    def save(self, tx: Connection) -> None:
        """Save what changed since the last time."""
        dumps = [
            (product_id, partition, dump(self._states[product_id], partition))
            for product_id, partition in sorted(self._dirty)
        ]
        rules.save(tx, self.mark, dumps)

    def saved(self) -> None:
        """The save was committed."""
        self._dirty.clear()

    def retire(self, tx: Connection, now: datetime) -> None:
        """Clear the alarms that no rule in force judges any more."""
        rules.clear_retired(tx, self.mark.versions, now)


def journal(readings: Mapping[int, Readings]) -> bytes:
    """A batch as the journal keeps it: product, length and readings, one product after the other."""
    return b"".join(
        np.array([product_id, len(batch)], "<i8").tobytes() + batch.to_bytes()
        for product_id, batch in readings.items()
        if len(batch)
    )


def split_journal(journaled: bytes) -> dict[int, Readings]:
    """What `journal` wrote."""
    readings = {}
    size = len(Readings.of([0], [0], [0], [0]).to_bytes())
    place = 0
    while place < len(journaled):
        product_id, length = np.frombuffer(journaled, "<i8", 2, place).tolist()
        place += 16
        readings[product_id] = Readings.from_bytes(journaled[place : place + length * size])
        place += length * size
    return readings


def _table(product: Product, versions: list[RuleVersion]) -> RuleTable:
    own = [(version.id, version.document) for version in versions if version.product_id == product.id]
    return compile_rules(own, {metric.name: metric.id for metric in product.metrics}, rule_metrics(product))
