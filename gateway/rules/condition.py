"""What every kind of condition answers. The rest of the gateway asks this, and reads the fields of no kind."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict

from gateway.rules.registry import Metric
from gateway.rules.state import Flags, Floats, Ints
from gateway.text import Speech


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is measured, and in which unit."""

    metric: str
    unit: str


class Columns(Protocol):
    """The conditions of rules of one kind in numpy, one row a rule: a hot value raises, a cool one clears."""

    def beyond(self, rows: Ints, values: Floats) -> Floats:
        """How far each value is beyond the condition of its row: hot when positive."""

    def cool(self, rows: Ints, values: Floats) -> Flags:
        """Whether each value clears an alarm of its row."""

    def may_be_hot(self, rows: slice, lowest: Floats, highest: Floats) -> Flags:
        """Whether a value from lowest to highest, one pair a line, may be hot in each row: a table of flags.

        It may say yes too often, which costs time; never no where a value is hot.
        """


class Condition(BaseModel):
    """When a rule raises, and when it clears; a kind derives from it and adds the fields that a rule writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    @property
    @abstractmethod
    def quantity(self) -> Quantity:
        """The quantity whose readings it judges."""

    @abstractmethod
    def check(self, metrics: Mapping[str, Metric]) -> list[str]:
        """What does not fit the product's metrics, naming each field and what to write instead."""

    @classmethod
    @abstractmethod
    def columns(cls, conditions: Sequence[Self]) -> Columns:
        """Conditions of this kind that `check` has no problem with, for the evaluator; row by row."""

    @abstractmethod
    def raises(self, *, lasting: bool) -> str:
        """When it raises, in English: temp_c stays above 90 °C; `lasting` where it must hold for a time."""

    @abstractmethod
    def clears(self) -> str:
        """When it clears, in English: below 85 °C."""

    @abstractmethod
    def plain(self, title: str, say: Speech, wait: str, keep: str) -> str:
        """Both as its owner reads them.

        `title` is the metric's; `wait` and `keep` say how long, or are empty: " for 15 s".
        """

    @abstractmethod
    def crossed_limit(self, value: float) -> float:
        """The limit that a hot value is beyond: for a notice and its chart."""
