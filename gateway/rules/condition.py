"""The interface of a condition, which every kind implements. Other packages use it, and read the fields of no kind."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict

from gateway.core.readings import Flags, Floats, Ints
from gateway.rules.registry import Metric
from gateway.text import Speech


@dataclass(frozen=True, slots=True)
class Quantity:
    """A metric and its unit of measurement."""

    metric: str
    unit: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a condition, and on which side of it a value is hot."""

    side: Literal["above", "below"]
    value: float


class Columns(Protocol):
    """The conditions of one kind's rules in numpy, one row a rule: a hot value raises an alarm, a cool one ends it."""

    def beyond(self, rows: Ints, values: Floats) -> Floats:
        """How far each value is beyond the limit of its row: hot when positive."""

    def cool(self, rows: Ints, values: Floats) -> Flags:
        """Whether each value clears an alarm of its row."""

    def may_be_hot(self, rows: slice, lowest: Floats, highest: Floats) -> Flags:
        """Returns a table of flags: whether a value from lowest to highest, one pair a line, may be hot in each row.

        It must be true where a value is hot; where it is true without need, that only costs time.
        """


class Condition(BaseModel):
    """When a rule raises an alarm, and when it clears it; each kind is a subclass with the fields of a rule file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str

    @property
    @abstractmethod
    def quantity(self) -> Quantity:
        """The quantity whose readings the condition judges."""

    @property
    @abstractmethod
    def limits(self) -> list[Limit]:
        """The limits of its quantity, for a chart; none where a chart has no line for it."""

    @abstractmethod
    def check(self, metrics: Mapping[str, Metric]) -> list[str]:
        """Returns what does not fit the product's metrics, naming each field and what to write instead."""

    @classmethod
    @abstractmethod
    def columns(cls, conditions: Sequence[Self]) -> Columns:
        """The columns of checked conditions of this kind for the evaluator, row by row."""

    @abstractmethod
    def raises(self, *, lasting: bool) -> str:
        """When it raises, in English: temp_c stays above 90 °C. `lasting` when it must hold for some time."""

    @abstractmethod
    def clears(self) -> str:
        """When it clears, in English: below 85 °C."""

    @abstractmethod
    def plain(self, title: str, say: Speech, wait: str, keep: str) -> str:
        """Both in one sentence for the unit's owner.

        `title` is the metric's; `wait` and `keep` are durations such as " for 15 s", or empty.
        """

    @abstractmethod
    def crossed_limit(self, value: float) -> float:
        """The limit that a hot value has crossed, for a notice and its chart."""
