"""Loads SQL from `queries.sql` beside the repository that uses it; every query has a name and one sentence."""

import re
from importlib.resources import files

from psycopg.sql import SQL

Query = SQL
"""One named query."""

_NAME = re.compile(r"^-- name: *(.*)$", re.MULTILINE)
_HEAD = re.compile(r"^-- name: (\w+)\n-- (\S.*)\n", re.MULTILINE)


class Queries:
    """The named queries of one file, as attributes. Raises AttributeError for a name that is not in the file.

    Raises ValueError for a file with a name twice, or without its sentence.
    """

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        heads = list(_HEAD.finditer(text))
        names = [head[1] for head in heads]
        malformed = [name for name in _NAME.findall(text) if names.count(name) != 1]
        if malformed:
            raise ValueError(f"{source}: give each query one name and one sentence: {', '.join(malformed)}")
        ends = [head.start() for head in heads[1:]] + [len(text)]
        self._queries = {
            head[1]: SQL(text[head.end() : end].strip().rstrip(";")) for head, end in zip(heads, ends, strict=True)
        }
        self.sentences = {head[1]: head[2] for head in heads}

    def __getattr__(self, name: str) -> SQL:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"{self.source} has no query named {name}") from None


def as_literal(words: str) -> str:
    """Returns words as LIKE takes them literally."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def load_queries(package: str) -> Queries:
    """The queries in the package's queries.sql, read once at import."""
    return Queries(f"{package}/queries.sql", files(package).joinpath("queries.sql").read_text("utf-8"))


queries = load_queries("gateway.store")
"""The queries of this package."""
