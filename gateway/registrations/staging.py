"""Rows of files on their way into the database: staged in short transactions, then read in ranges of keys."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from gateway.core.errors import BadInput
from gateway.jobs.model import UPLOAD, Kind, Step, Turn
from gateway.registrations.files import PROBLEMS_MAX, Problems, read_rows
from gateway.registrations.repository import queries
from gateway.store import Connection, Query

CHUNK = 10_000
"""The most rows staged in one transaction."""
RANGE = 20_000
"""The most rows of one statement of the check, or of the import itself."""

RowT = TypeVar("RowT", bound=BaseModel)
RowT_contra = TypeVar("RowT_contra", bound=BaseModel, contravariant=True)
Follower = Callable[[Connection, Sequence[int], Any], object]
"""Called with the ids of changed units and the time, in a transaction of a turn, to act on the changes."""


@dataclass(frozen=True, slots=True)
class Line(Generic[RowT]):
    """A row with the number of its file, and its line there."""

    file: int
    line: int
    row: RowT


class Staging(Kind, Protocol[RowT_contra]):
    """A kind of job that stages rows of this model."""

    def stage(self, tx: Connection, job_id: int, lines: Sequence[Line[Any]]) -> None:
        """Stage a chunk of rows."""

    def problem(self, row: RowT_contra) -> str | None:
        """Returns the problem of a row that its model cannot see; None for a sound row."""


class Upload(Generic[RowT]):
    """A kind of job that stages the rows of files, which only this process can read, and then runs as that kind."""

    def __init__(self, kind: Staging[RowT], model: type[RowT], files: Sequence[Path], rows_max: int) -> None:
        self._kind = kind
        self._problems = Problems()
        self._file_names = ", ".join(map(str, files))
        self._lines = self._read(model, files)
        self._rows_max = rows_max
        self.name = kind.name
        self.settled = kind.settled

    def _read(self, model: type[RowT], files: Sequence[Path]) -> Iterator[Line[RowT]]:
        """Yields every sound row; the problems of the others are noted."""
        for number, path in enumerate(files):
            where = f"{path.name}: " if len(files) > 1 else ""
            for line, row in read_rows(path, model, self._problems, where):
                if problem := self._kind.problem(row):
                    self._problems.add(f"{where}line {line}: {problem}")
                elif not self._problems.count:  # else nothing is imported, and the rest is only checked
                    yield Line(number, line, row)

    def turn(self, tx: Connection, turn: Turn) -> Step:
        """Stage the next chunk, if there is one. Raises BadInput at the end of the files when there were problems."""
        if turn.job.phase != UPLOAD:
            return self._kind.turn(tx, turn)
        chunk = list(islice(self._lines, CHUNK))
        done = turn.job.done + len(chunk)
        if done > self._rows_max:
            raise BadInput(
                f"{self._file_names} was not imported: it has more than {self._rows_max} rows. Split the files."
            )
        if self._problems.count:
            for _ in self._lines:
                pass  # the other problems are named too
            raise self._problems.refusal(self._file_names)
        if not chunk:
            return Step("check", 0, done)
        self._kind.stage(tx, turn.job.id, chunk)
        return Step(UPLOAD, done)

    def tidy(self, tx: Connection, job_id: int, limit: int) -> bool:
        """Remove staged rows."""
        return self._kind.tidy(tx, job_id, limit)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Staged rows between two keys, without the first key, as parameters of the queries."""

    parameters: dict[str, Any]
    rows: int

    @property
    def upto(self) -> list[Any]:
        """The last key, where the next range begins."""
        return [self.parameters["upto_product"], self.parameters["upto_serial"]]


FIRST_KEY = [0, ""]


def next_range(tx: Connection, query: Query, job_id: int, after: Sequence[Any]) -> KeyRange | None:
    """Returns the range after a key; None when no row is staged there. Rows of one key are in one range."""
    parameters = {"job": job_id, "after_product": after[0], "after_serial": after[1]}
    row = tx.execute(query, parameters | {"limit": RANGE}, prepare=False).fetchone()
    if row is None:
        return None
    return KeyRange(parameters | {"upto_product": row["product_id"], "upto_serial": row["serial"]}, row["rows"])


def ranges(tx: Connection, query: Query, job_id: int) -> Iterator[KeyRange]:
    """Yields all ranges of a job, in order."""
    after: Sequence[Any] = FIRST_KEY
    while keys := next_range(tx, query, job_id, after):
        yield keys
        after = keys.upto


def check_step(turn: Turn, keys: KeyRange | None, problems: Sequence[tuple[int, int, str]], **counts: int) -> Step:
    """Returns the next step after the check of a range with these problems: file, line, words.

    Raises BadInput at the end. Ranges are by key and problems are shown by line, so the first lines so far are kept in
    the job's place.
    """
    place = turn.job.place
    count = place.get("count", 0) + len(problems)
    first_problems = nsmallest(PROBLEMS_MAX, [*map(tuple, place.get("problems", ())), *problems])
    sums = {name: place.get(name, 0) + value for name, value in counts.items()}
    if keys is not None:
        next_place = {"after": keys.upto, "problems": first_problems, "count": count, **sums}
        return Step("check", turn.job.done + keys.rows, turn.job.total, next_place)
    if count:
        raise refusal(turn, first_problems, count)
    return Step("apply", 0, turn.job.total, sums)


def refusal(turn: Turn, first_problems: Sequence[tuple[int, int, str]], count: int) -> BadInput:
    """Returns the error that names problems of staged rows by their files and lines."""
    files = turn.job.arguments["files"]
    prefixes = [f"{files[file]}: " if len(files) > 1 else "" for file, _, _ in first_problems]
    lines = [f"{prefix}line {line}: {text}" for prefix, (_, line, text) in zip(prefixes, first_problems, strict=True)]
    return Problems(lines, count).refusal(", ".join(files))


def follow(tx: Connection, turn: Turn, followers: Sequence[Follower]) -> Step:
    """Call the followers for the changes of one turn of the import; the job is done when there are no more."""
    number = turn.job.place.get("turn", 0)
    if number > turn.job.place["last"]:
        return Step(None, turn.job.done, turn.job.total)
    rows = tx.execute(queries.changed_units, {"job": turn.job.id, "turn": number}, prepare=False).fetchall()
    units = [row["unit_id"] for row in rows]
    for follower in followers:
        if units:
            follower(tx, units, turn.now)
    place = {"turn": number + 1, "last": turn.job.place["last"]}
    return Step("follow", turn.job.done + len(units), turn.job.total, place)
