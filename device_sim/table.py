"""A CSV file as readings; the whole file is read and checked first."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from difflib import get_close_matches
from pathlib import Path

from device_sim.errors import SimError
from device_sim.times import parse_moment

_PROBLEMS_MAX = 5  # bad lines named in an error; a file in the wrong format has thousands


@dataclass(frozen=True, slots=True)
class Row:
    """One line: microseconds since 1970, and the metrics whose cells hold a number."""

    at: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the file: its time column, and the column of each metric."""

    metrics: Sequence[str]  # "NAME=COLUMN", or "NAME" for `column`, else for the column NAME, else for the column value
    column: str | None
    time_column: str
    zone: tzinfo
    encoding: str


def read_table(path: Path, layout: Layout) -> list[Row]:
    """Returns every row in the order of the file. Raises SimError that names the bad lines."""
    try:
        with path.open(encoding=layout.encoding, newline="") as file:
            rows, problems = _read(file, layout)
    except SimError as error:
        raise SimError(f"{path}: {error}") from error
    except (OSError, UnicodeError, LookupError) as error:
        raise SimError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if problems:
        more = f"\n  and {len(problems) - _PROBLEMS_MAX:,} more" if len(problems) > _PROBLEMS_MAX else ""
        first_problems = "\n  ".join(problems[:_PROBLEMS_MAX])
        raise SimError(f"nothing was sent: {len(problems):,} bad lines in {path}\n  {first_problems}{more}")
    if not rows:
        raise SimError(f"{path} holds no rows")
    return rows


def _read(file: Iterable[str], layout: Layout) -> tuple[list[Row], list[str]]:
    lines = csv.reader(file, strict=True)
    header: list[str] = []
    rows: list[Row] = []
    problems: list[str] = []
    try:
        header = [name.strip() for name in next(lines, [])]
        time_at = _column_index(layout.time_column, header)
        positions = _positions(layout, header)
        for cells in lines:
            if not cells:
                continue  # an empty line, usually the last
            try:
                rows.append(_row(cells, header, time_at, positions, layout.zone))
            except SimError as error:
                problems.append(f"line {lines.line_num}: {error}")
    except csv.Error as error:
        problems.append(f"line {lines.line_num}: {error}")
    return rows, problems


def _positions(layout: Layout, header: Sequence[str]) -> dict[str, int]:
    """Metric -> the position of its column."""
    bare_names = [text for text in layout.metrics if "=" not in text]
    if layout.column is not None and len(bare_names) != 1:
        raise SimError("--column goes with one --metric NAME; with several metrics write --metric NAME=COLUMN")
    positions: dict[str, int] = {}
    for text in layout.metrics:
        name, _, column = text.partition("=")
        if text in bare_names:
            column = layout.column or (name if name in header else "value")
        if not name or not column:
            raise SimError(f"{text!r} is not a metric; write --metric NAME or --metric NAME=COLUMN")
        if name in positions:
            raise SimError(f"the metric {name} is given twice")
        positions[name] = _column_index(column, header)
    return positions


def _column_index(column: str, header: Sequence[str]) -> int:
    if column in header:
        return header.index(column)
    close = get_close_matches(column, header, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise SimError(f"there is no column {column!r}{hint}; the first line names: {', '.join(header) or 'nothing'}")


def _row(cells: Sequence[str], header: Sequence[str], time_at: int, positions: Mapping[str, int], zone: tzinfo) -> Row:
    if len(cells) != len(header):
        raise SimError(f"it has {len(cells)} cells, the first line {len(header)}")
    numbers = {metric: _number(cells[position], metric) for metric, position in positions.items()}
    values = {metric: number for metric, number in numbers.items() if number is not None}
    return Row(parse_moment(cells[time_at], zone), values)


def _number(cell: str, metric: str) -> float | None:
    """The cell's number; None when it is empty."""
    if not (text := cell.strip()):
        return None
    try:
        number = float(text)
    except ValueError:
        raise SimError(f"{text!r} is not a number for {metric}") from None
    if not math.isfinite(number):
        raise SimError(f"{text!r} is not a finite number for {metric}; leave the cell empty when there is no value")
    return number
