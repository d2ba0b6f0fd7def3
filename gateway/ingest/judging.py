"""The rules in force and the evaluator's state of each product: loaded, updated, saved, suspended in trouble."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import numpy as np

from gateway.core.partition import PARTITIONS
from gateway.core.readings import Readings
from gateway.ingest.devices import rule_metrics
from gateway.registrations import repository as registrations
from gateway.registrations.model import Product
from gateway.rules import repository as rules
from gateway.rules.evaluator import Change, Verdict, judge
from gateway.rules.repository import Mark, RuleVersion
from gateway.rules.state import Part, State, assembled, dump
from gateway.rules.table import RuleTable, compile_rules
from gateway.store import Connection, Row

ALL_PARTITIONS = frozenset(range(PARTITIONS))

Troubles = dict[int, str]
"""Why products cannot be judged, by product id."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a batch; by product."""

    verdicts: Mapping[int, Verdict]
    troubles: Troubles
    changes: Sequence[Change]
    """All alarm changes, in the order of their readings' time."""
    versions: Mapping[int, RuleVersion]
    """The rule versions of the changes, by number."""
    unjudged: Mapping[int, bytes]
    """The readings of suspended products, as they are kept."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The product catalog at one revision; rule versions by product, as they are stored."""

    number: int
    products: Sequence[Product]
    rules: Mapping[int, Sequence[Row]]


def read_revision(connection: Connection, number: int) -> Revision:
    """The product catalog as it was at a revision."""
    return Revision(number, registrations.products_at(connection, number), rules.in_force_at(connection, number))


@dataclass(frozen=True, slots=True)
class SavedPart:
    """What a product's rules knew of one partition after batch `seq`."""

    seq: int
    part: Part


SavedParts = Mapping[int, SavedPart]
"""By partition."""


@dataclass(slots=True)
class ProductJudge:
    """The rules of one product, their state, and the partitions of it that are not saved."""

    table: RuleTable
    state: State
    versions: Mapping[int, RuleVersion]
    dirty: set[int] = field(default_factory=set)
    ahead: dict[int, SavedPart] = field(default_factory=dict)
    """Partitions saved later than the replay's present batch; their readings are left out until it reaches them."""

    @classmethod
    def of(
        cls, product: Product, rows: Sequence[Row], parts: Sequence[Part] = (), kept: Sequence[int] | None = None
    ) -> Self:
        """From rules and saved state, or what that knows of `kept` rules; raises whatever is wrong with them."""
        table, versions = _compiled(product, rows)
        if kept is None:
            return cls(table, assembled(table.versions, table.metrics, parts), versions)
        state = assembled(table.versions[np.isin(table.versions, kept)], table.metrics, parts)
        return cls(table, state.for_rules(table.versions, table.metrics), versions)

    @classmethod
    def without_rules(cls, product: Product, state: State | None) -> Self:
        """One that raises no alarms; it only finds late readings and repeats."""
        table, _ = _compiled(product, ())
        empty = State.empty(table.versions, table.metrics)
        return cls(table, state.for_rules(table.versions, table.metrics) if state else empty, {})

    def in_step(self, product: Product, rows: Sequence[Row]) -> "ProductJudge":
        """The same state under other rules and metrics; what belongs to rules that are gone is dropped."""
        table, versions = _compiled(product, rows)
        state = self.state.for_rules(table.versions, table.metrics)
        return ProductJudge(table, state, versions, set(ALL_PARTITIONS - self.ahead.keys()), self.ahead)

    def reach(self, seq: int) -> None:
        """Take up the partitions that were saved after batch `seq`, which a replay has reached."""
        for partition in [partition for partition, saved in self.ahead.items() if saved.seq <= seq]:
            self.state.place(self.ahead.pop(partition).part)

    def known(self, readings: Readings) -> Readings:
        """Returns the readings of an old batch that are to be judged and are of metrics that still exist."""
        here = np.isin(readings.metric, self.table.metrics) & ~np.isin(readings.partition, list(self.ahead))
        return readings[here]

    def catch_up(self, readings: Readings) -> list[Change]:
        """Judge an old batch and take that over; returns its alarm changes.

        What a partition's state knows already is late in it, and changes nothing.
        """
        verdict = judge(self.state, self.table, self.known(readings))
        self.apply(verdict)
        return verdict.changes

    def apply(self, verdict: Verdict) -> None:
        """Take over a committed verdict."""
        self.state.apply(verdict.delta)
        self.dirty |= verdict.delta.partitions()

    def dumps(self) -> list[tuple[int, bytes]]:
        """Returns each partition that was taken up, with its state."""
        return [
            (partition, dump(self.state, partition)) for partition in range(PARTITIONS) if partition not in self.ahead
        ]


class Judging:
    """A judge for each product. Judging changes nothing; `apply` does, after the commit."""

    def __init__(self, revision: Revision, seq: int) -> None:
        self.revision = revision
        self.seq = seq
        self.suspended: set[int] = set()
        """Products whose readings are stored and not judged; their saved state stays as it is."""
        self._judges: dict[int, ProductJudge] = {}
        self.ahead: dict[int, SavedParts] = {}
        """Products that were saved wholly later than the replay's present batch."""

    @classmethod
    def load(
        cls, revision: Revision, seq: int, suspended: Iterable[int], saved: Mapping[int, SavedParts]
    ) -> tuple["Judging", Troubles]:
        """Returns the state after batch `seq`, for a replay from there, and the products that cannot be taken up.

        Partitions that were saved after a later batch are taken up when the replay reaches it.
        """
        judging = cls(revision, seq)
        judging.set_aside(list(suspended))
        judging.ahead = {
            product_id: parts for product_id, parts in saved.items() if product_id not in judging.suspended
        }
        return judging, judging.reach(seq)

    def reach(self, seq: int) -> Troubles:
        """Take up what was saved after batch `seq`, which a replay has reached. Returns the products that cannot be."""
        self.seq = seq
        troubles: Troubles = {}
        for product in self.revision.products:
            if product.id in self.suspended or self._is_all_ahead(product.id):
                continue
            try:
                if product.id not in self._judges:
                    self._judges[product.id] = ProductJudge.of(product, self.revision.rules.get(product.id, ()))
                    self._judges[product.id].ahead = dict(self.ahead.pop(product.id, {}))
                self._judges[product.id].reach(seq)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - the other products go on
                troubles[product.id] = reason(error)
                self.ahead.pop(product.id, None)
                self.set_aside([product.id])
        return troubles

    def _is_all_ahead(self, product_id: int) -> bool:
        """Whether it was saved wholly later, as happens after trouble; in other products some partitions are older."""
        ahead = self.ahead.get(product_id, {})
        return len(ahead) == PARTITIONS and min(each.seq for each in ahead.values()) > self.seq

    @property
    def mark(self) -> Mark:
        """The batch and revision that a save of now belongs to."""
        return Mark(self.seq, self.revision.number)

    @property
    def rule_ids(self) -> dict[int, list[int]]:
        """The numbers of the rule versions in force, by product."""
        return {product_id: [row["id"] for row in rows] for product_id, rows in self.revision.rules.items()}

    def in_force(self) -> list[int]:
        """All rule versions in force, those of suspended products too."""
        return [number for numbers in self.rule_ids.values() for number in numbers]

    def judge(self, readings: Mapping[int, Readings]) -> Judged:
        """Returns the verdicts, and the products that cannot be judged; the state stays as it is.

        The verdict of a suspended product only marks late readings and repeats.
        """
        verdicts: dict[int, Verdict] = {}
        troubles: Troubles = {}
        for product_id, batch in readings.items():
            if product_id in self.ahead:
                continue
            try:
                known = self._judges[product_id]
                verdicts[product_id] = judge(known.state, known.table, batch)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - the other products go on
                if product_id not in self.suspended:
                    troubles[product_id] = reason(error)
        found = [(change, self._judges[number]) for number, verdict in verdicts.items() for change in verdict.changes]
        return Judged(
            verdicts,
            troubles,
            sorted((change for change, _ in found), key=lambda each: (each.at, each.version_id, each.unit_id)),
            {change.version_id: judge.versions[change.version_id] for change, judge in found},
            {number: batch.to_bytes() for number, batch in readings.items() if number in self.suspended},
        )

    def known(self, readings: Mapping[int, Readings]) -> dict[int, Readings]:
        """Returns the readings of an old batch that are to be judged."""
        return {
            product_id: self._judges[product_id].known(batch) if product_id in self._judges else batch
            for product_id, batch in readings.items()
        }

    def apply(self, verdicts: Mapping[int, Verdict], seq: int) -> None:
        """Take over what was committed as batch `seq`."""
        for product_id, verdict in verdicts.items():
            self._judges[product_id].apply(verdict)
        self.seq = seq

    def in_step(self, revision: Revision, seq: int) -> tuple["Judging", Troubles]:
        """Returns the same state under another revision, as `seq`, and the products that failed: they are suspended."""
        judging = Judging(revision, seq)
        judging.ahead = self.ahead
        troubles: Troubles = {}
        for product in revision.products:
            before = self._judges.get(product.id)
            if product.id in self.suspended:
                judging.set_aside([product.id], before)
                continue
            rows = revision.rules.get(product.id, ())
            try:
                if before:
                    judging._judges[product.id] = before.in_step(product, rows)
                elif product.id not in self.ahead:
                    judging._judges[product.id] = ProductJudge.of(product, rows)
            except MemoryError:
                raise
            except Exception as error:  # noqa: BLE001 - the other products go on
                troubles[product.id] = reason(error)
                judging.set_aside([product.id], before)
        return judging, troubles

    def set_aside(self, product_ids: Sequence[int], before: ProductJudge | None = None) -> None:
        """Suspend products, once that is committed: of their readings only late ones and repeats are marked."""
        products = {product.id: product for product in self.revision.products}
        for product_id in product_ids:
            known = self._judges.get(product_id, before)
            if product_id in products:
                self._judges[product_id] = ProductJudge.without_rules(
                    products[product_id], known.state if known else None
                )
            self.suspended.add(product_id)

    def rebuilt(self, product_id: int, saved: SavedParts, kept: Sequence[int] | None) -> ProductJudge:
        """Returns a suspended product's judge, from the saved state of its `kept` rules or of all."""
        (product,) = (product for product in self.revision.products if product.id == product_id)
        parts = [each.part for each in saved.values()]
        return ProductJudge.of(product, self.revision.rules.get(product_id, ()), parts, kept)

    def resume(self, product_id: int, judge: ProductJudge) -> None:
        """Judge a suspended product again; its state is saved."""
        self._judges[product_id] = judge
        self.suspended.discard(product_id)

    def save(self, tx: Connection, partition: int) -> None:
        """Save one partition of all products, where it changed since the last time."""
        dumps = [
            (product_id, partition, dump(judge.state, partition))
            for product_id, judge in self._judges.items()
            if partition in judge.dirty and partition in judge.state.partition and product_id not in self.suspended
        ]
        rules.save(tx, self.seq, dumps)
        rules.set_mark(tx, partition, self.mark)

    def saved(self, partition: int) -> None:
        """The save was committed."""
        for each in self._judges.values():
            each.dirty.discard(partition)

    def save_product(self, tx: Connection, product_id: int) -> None:
        """Save one product in all partitions, in trouble."""
        if judge := self._judges.get(product_id):
            save_product(tx, self.seq, product_id, judge)

    def retire(self, tx: Connection, now: datetime) -> None:
        """Clear the alarms whose rules are out of force."""
        rules.clear_retired(tx, self.in_force(), now)


def save_product(tx: Connection, seq: int, product_id: int, judge: ProductJudge) -> None:
    """Save one product in all partitions as of batch `seq`, under its rules."""
    rules.save(tx, seq, [(product_id, partition, state) for partition, state in judge.dumps()])


def reason(error: Exception) -> str:
    """An error as the reason of a suspension."""
    return f"{type(error).__name__}: {error}"


def _compiled(product: Product, rows: Sequence[Row]) -> tuple[RuleTable, dict[int, RuleVersion]]:
    versions = {row["id"]: rules.read_version(row) for row in rows}
    documents = [(number, version.document) for number, version in versions.items()]
    metric_ids = {metric.name: metric.id for metric in product.metrics}
    return compile_rules(documents, metric_ids, rule_metrics(product)), versions
