"""Stored documents and the numbers of their schemas: what an older version wrote is upgraded when it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.errors import Unavailable

Upgrade = Callable[[Any], Any]
"""Makes a document of the next schema from one of a schema; pure, and kept for ever."""


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """Documents of one kind: the schema that is written now, and the upgrade from each older one to the next.

    `sql_paths` are what SQL reads of them, past any upgrade: these keep their place and meaning in every schema.
    """

    name: str
    schema: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    sql_paths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sorted(self.upgrades) != list(range(1, self.schema)):
            raise ValueError(f"{self.name}: give one upgrade for each schema below {self.schema}")

    def read(self, document: Any, schema: int) -> Any:  # noqa: ANN401 - documents are JSON, arrays or bytes
        """A stored document as the present schema has it.

        Raises Unavailable for one that a newer version wrote.
        """
        if not 1 <= schema <= self.schema:
            raise Unavailable(
                f"A stored {self.name} was written by a newer version: it has schema {schema}, and this version reads"
                f" up to {self.schema}. Start the version that wrote it, or a newer one."
            )
        for older in range(schema, self.schema):
            document = self.upgrades[older](document)
        return document
