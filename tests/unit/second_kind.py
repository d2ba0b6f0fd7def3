"""A kind of condition that the gateway does not have: a device that reports one certain code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from gateway.rules.condition import Condition, Limit, Quantity
from gateway.rules.registry import Metric, unknown_metric
from gateway.text import Speech


class Code(Condition):
    kind: Literal["code"]
    signal: str
    equals: float

    @property
    def quantity(self) -> Quantity:
        return Quantity(self.signal, "")

    @property
    def limits(self) -> list[Limit]:
        return []

    def check(self, metrics: Mapping[str, Metric]) -> list[str]:
        if self.signal in metrics:
            return []
        return [f"condition.signal: {unknown_metric(self.signal, metrics)}"]

    @classmethod
    def columns(cls, conditions: Sequence[Self]) -> "Columns":
        return Columns(np.array([condition.equals for condition in conditions], np.float64))

    def raises(self, *, lasting: bool) -> str:
        return f"{self.signal} {'stays' if lasting else 'becomes'} {self.equals:g}"

    def clears(self) -> str:
        return "at any other"

    def plain(self, title: str, say: Speech, wait: str, keep: str) -> str:
        told = {"de": "Wir melden uns, wenn „{}“{} {:g} ist."}.get(say.language, "We tell you when “{}” is{} {:g}.")
        return told.format(title, wait, self.equals)

    def crossed_limit(self, _value: float) -> float:
        return self.equals


@dataclass(frozen=True)
class Columns:
    equals: np.ndarray

    def beyond(self, rows, values):
        return np.where(values == self.equals[rows], 1.0, -1.0)

    def cool(self, rows, values):
        return values != self.equals[rows]

    def may_be_hot(self, rows, lowest, highest):
        return (lowest <= self.equals[rows]) & (self.equals[rows] <= highest)
