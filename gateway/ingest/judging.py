"""The rules in force and the evaluator's state of every product: loaded, kept in step, saved, set aside in trouble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import numpy as np

from gateway.ingest.devices import rule_metrics
from gateway.registrations import repository as registrations
from gateway.registrations.model import Product
from gateway.rules import repository as rules
from gateway.rules.evaluator import Change, Verdict, judge
from gateway.rules.repository import Mark, RuleVersion
from gateway.rules.state import PARTITIONS, Readings, State, dump, load
from gateway.rules.table import RuleTable, compile_rules
from gateway.store import Connection, Row

Verdicts = dict[int, Verdict]
Troubles = dict[int, str]
"""Why products cannot be judged, by product id."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The product catalog at one revision; rule versions by product, as they are stored."""

    number: int
    products: Sequence[Product]
    rules: Mapping[int, Sequence[Row]]


def read_revision(connection: Connection, number: int) -> Revision:
    """The product catalog as it was at a revision."""
    return Revision(number, registrations.products_at(connection, number), rules.in_force_at(connection, number))


@dataclass(slots=True)
class ProductJudge:
    """The rules of one product, what they know of its units, and which partitions of that are not saved."""

    table: RuleTable
    state: State
    versions: Mapping[int, RuleVersion]
    dirty: set[int] = field(default_factory=set)

    @classmethod
    def of(
        cls, product: Product, rows: Sequence[Row], saved: Sequence[bytes], kept: Sequence[int] | None = None
    ) -> Self:
        """From rules and saved state, or what that knows of `kept` rules; raises whatever is wrong with them."""
        table, versions = _compiled(product, rows)
        if kept is None:
            return cls(table, load(table.versions, table.metrics, saved), versions)
        state = load(table.versions[np.isin(table.versions, kept)], table.metrics, saved)
        return cls(table, state.for_rules(table.versions, table.metrics), versions, set(range(PARTITIONS)))

    @classmethod
    def without_rules(cls, product: Product, state: State | None) -> Self:
        """One that raises no alarms, and only tells late readings and repeats."""
        table, _ = _compiled(product, ())
        empty = State.empty(table.versions, table.metrics)
        return cls(table, state.for_rules(table.versions, table.metrics) if state else empty, {})

    def in_step(self, product: Product, rows: Sequence[Row]) -> "ProductJudge":
        """The same knowledge under other rules and metrics: what belongs to those that stay is kept."""
        table, versions = _compiled(product, rows)
        state = self.state.for_rules(table.versions, table.metrics)
        return ProductJudge(table, state, versions, set(range(PARTITIONS)))

    def judge(self, readings: Readings) -> Verdict:
        """A verdict for a batch; nothing changes."""
        return judge(self.state, self.table, readings)

    def known(self, readings: Readings) -> Readings:
        """The readings of metrics that the product has: of old batches, some may be of metrics that are gone."""
        here = np.isin(readings.metric, self.table.metrics)
        if here.all():
            return readings
        return Readings(readings.unit[here], readings.metric[here], readings.time[here], readings.value[here])

    def apply(self, verdict: Verdict) -> None:
        """Take over what was committed."""
        self.state.apply(verdict.delta)
        self.dirty |= verdict.delta.partitions()

    def dumps(self, product_id: int) -> list[tuple[int, int, bytes]]:
        """Product, partition and state of what is not saved."""
        return [(product_id, partition, dump(self.state, partition)) for partition in sorted(self.dirty)]


class Judging:
    """A judge for each product. Judging changes nothing; `apply` does, after the commit."""

    def __init__(self, revision: Revision, seq: int) -> None:
        self.revision = revision
        self.seq = seq
        self.suspended: set[int] = set()
        """Products whose readings are stored and not judged; their saved state stays as it is."""
        self._judges: dict[int, ProductJudge] = {}

    @classmethod
    def load(cls, connection: Connection, suspended: Sequence[int]) -> tuple["Judging", Troubles]:
        """The state as last saved, under the catalog of that time; and which products cannot be taken up."""
        mark = rules.mark(connection)
        judging = cls(read_revision(connection, mark.revision), mark.seq)
        saved = rules.snapshots(connection)
        troubles: Troubles = {}
        for product in judging.revision.products:
            if product.id in suspended:
                judging.set_aside([product.id])
                continue
            try:
                rows = judging.revision.rules.get(product.id, ())
                judging._judges[product.id] = ProductJudge.of(product, rows, saved.get(product.id, ()))
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other products go on
                troubles[product.id] = reason(error)
                judging.set_aside([product.id])
        return judging, troubles

    @property
    def mark(self) -> Mark:
        """What a save is of."""
        return Mark(self.seq, self.revision.number, tuple(sorted(self.in_force())))

    @property
    def versions(self) -> dict[int, RuleVersion]:
        """The rule versions that are judged by."""
        return {number: version for each in self._judges.values() for number, version in each.versions.items()}

    @property
    def rule_ids(self) -> dict[int, list[int]]:
        """The rule versions in force, by product."""
        return {product_id: [row["id"] for row in rows] for product_id, rows in self.revision.rules.items()}

    def in_force(self) -> list[int]:
        """All rule versions in force, those of suspended products too."""
        return [number for numbers in self.rule_ids.values() for number in numbers]

    def judge(self, readings: Mapping[int, Readings]) -> tuple[Verdicts, Troubles]:
        """A verdict for each product's readings, and which products cannot be judged; the state stays as it is.

        Of suspended products the verdict only marks what is late or a repeat.
        """
        verdicts: Verdicts = {}
        troubles: Troubles = {}
        for product_id, batch in readings.items():
            try:
                verdicts[product_id] = self._judges[product_id].judge(batch)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other products go on
                if product_id not in self.suspended:
                    troubles[product_id] = reason(error)
        return verdicts, troubles

    def known(self, readings: Mapping[int, Readings]) -> dict[int, Readings]:
        """Of old readings those that a judge of today can take."""
        return {
            product_id: self._judges[product_id].known(batch) if product_id in self._judges else batch
            for product_id, batch in readings.items()
        }

    def unjudged(self, readings: Mapping[int, Readings]) -> dict[int, bytes]:
        """The readings of suspended products, as they are kept."""
        return {number: batch.to_bytes() for number, batch in readings.items() if number in self.suspended}

    def apply(self, verdicts: Verdicts, seq: int) -> None:
        """Take over what was committed as batch `seq`."""
        for product_id, verdict in verdicts.items():
            self._judges[product_id].apply(verdict)
        self.seq = seq

    def changes(self, verdicts: Verdicts) -> list[Change]:
        """All alarm changes of a batch, in the order of their readings' time."""
        found = [change for verdict in verdicts.values() for change in verdict.changes]
        return sorted(found, key=lambda change: (change.at, change.version_id, change.unit_id))

    def in_step(self, revision: Revision) -> tuple["Judging", Troubles]:
        """The same knowledge under another revision; and which products cannot follow: there they are set aside."""
        judging = Judging(revision, self.seq)
        troubles: Troubles = {}
        for product in revision.products:
            before = self._judges.get(product.id)
            if product.id in self.suspended:
                judging.set_aside([product.id], before)
                continue
            rows = revision.rules.get(product.id, ())
            try:
                after = before.in_step(product, rows) if before else ProductJudge.of(product, rows, ())
                judging._judges[product.id] = after
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other products go on
                troubles[product.id] = reason(error)
                judging.set_aside([product.id], before)
        return judging, troubles

    def set_aside(self, product_ids: Sequence[int], before: ProductJudge | None = None) -> None:
        """Judge these products no more, once that is committed; of their readings only late ones are told apart."""
        products = {product.id: product for product in self.revision.products}
        for product_id in product_ids:
            known = self._judges.get(product_id, before)
            if product_id in products:
                self._judges[product_id] = ProductJudge.without_rules(
                    products[product_id], known.state if known else None
                )
            self.suspended.add(product_id)

    def rebuilt(self, product_id: int, saved: Sequence[bytes], kept: Sequence[int] | None) -> ProductJudge:
        """A suspended product's judge from its saved state, of `kept` rules or of all, under this revision."""
        (product,) = (product for product in self.revision.products if product.id == product_id)
        return ProductJudge.of(product, self.revision.rules.get(product_id, ()), saved, kept)

    def resume(self, product_id: int, judge: ProductJudge) -> None:
        """Judge a suspended product again; its state is saved."""
        self._judges[product_id] = judge
        self.suspended.discard(product_id)

    def save(self, tx: Connection, also: Sequence[tuple[int, int, bytes]] = ()) -> None:
        """Save what changed since the last time, and more (product, partition, state)."""
        dumps = [
            each
            for product_id in sorted(self._judges.keys() - self.suspended)
            for each in self._judges[product_id].dumps(product_id)
        ]
        rules.save(tx, self.mark, [*dumps, *also])

    def saved(self) -> None:
        """The save was committed."""
        for each in self._judges.values():
            each.dirty.clear()

    def retire(self, tx: Connection, now: datetime) -> None:
        """Clear the alarms that no rule in force judges any more."""
        rules.clear_retired(tx, self.in_force(), now)


def reason(error: Exception) -> str:
    """An error as the reason of a suspension."""
    return f"{type(error).__name__}: {error}"


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


def _compiled(product: Product, rows: Sequence[Row]) -> tuple[RuleTable, dict[int, RuleVersion]]:
    versions = {row["id"]: rules.read_version(row) for row in rows}
    documents = [(number, version.document) for number, version in versions.items()]
    metric_ids = {metric.name: metric.id for metric in product.metrics}
    return compile_rules(documents, metric_ids, rule_metrics(product)), versions
