"""Makers' files: every problem is named with its line; with one bad line nothing is imported.

Files of units and owners are read a line at a time, so a long one takes no more memory.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gateway.core.errors import BadInput, problems_of
from gateway.core.pictures import Picture, read_picture
from gateway.registrations.model import OwnerRow, ProductFile, UnitRow

PROBLEMS_MAX = 20
LINE_MAX = 65_536
"""The most characters in one line of a file."""

RowT = TypeVar("RowT", bound=BaseModel)


@dataclass(slots=True)
class Problems:
    """The problems of a file: the first ones as texts, and the number of all."""

    texts: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, *problems: str) -> None:
        """Note problems, in the order of the file."""
        self.count += len(problems)
        self.texts += problems[: PROBLEMS_MAX - len(self.texts)]

    def refusal(self, file_names: str) -> BadInput:
        """Returns the error that names the problems."""
        further_count = self.count - len(self.texts)
        return BadInput(
            f"{file_names} was not imported, nothing of it was taken:",
            self.texts + ([f"and {further_count} more"] if further_count else []),
        )


def read_product(path: Path) -> ProductFile:
    """Returns the content of a product file (YAML). Raises BadInput that names every wrong field."""
    try:
        content = yaml.safe_load(_text(path))
        return ProductFile.model_validate(content)
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML, nothing was imported.", [str(error)]) from error
    except ValidationError as error:
        problems = Problems()
        problems.add(*problems_of(error, path.name))
        raise problems.refusal(str(path)) from error


def read_picture_of(path: Path, product: ProductFile) -> Picture | None:
    """The picture that a product file names; raises BadInput that says what to give instead."""
    return read_picture(path.parent / product.picture, f"{path.name}: picture") if product.picture else None


def read_units(path: Path) -> dict[int, UnitRow]:
    """Returns the rows of a short units file by line number. Raises BadInput with line numbers."""
    return _read_whole(path, UnitRow)


def read_owners(path: Path) -> dict[int, OwnerRow]:
    """Returns the rows of a short owners file by line number. Raises BadInput with line numbers."""
    return _read_whole(path, OwnerRow)


def _read_whole(path: Path, model: type[RowT]) -> dict[int, RowT]:
    problems = Problems()
    rows = dict(read_rows(path, model, problems))
    if problems.count:
        raise problems.refusal(str(path))
    return rows


def columns_of(path: Path, model: type[BaseModel]) -> list[str]:
    """Returns the columns of a file. Raises BadInput where one is missing, unknown, or there twice."""
    problems = Problems()
    with _open(path) as file:
        names = next(csv.reader(_lines(file, path), strict=True), [])
    problems.add(*_wrong_columns(names, model))
    if problems.count:
        raise problems.refusal(str(path))
    return names


def read_rows(path: Path, model: type[RowT], problems: Problems, prefix: str = "") -> Iterator[tuple[int, RowT]]:
    """Yields each sound row with its line number; problems are added to `problems`, each after the text `where`.

    Raises BadInput when the file cannot be read further.
    """
    with _open(path) as file:
        reader = csv.DictReader(_lines(file, path), strict=True)
        try:
            if column_problems := list(_wrong_columns(reader.fieldnames or [], model)):
                problems.add(*(f"{prefix}{problem}" for problem in column_problems))
                return
            for cells in reader:
                line = reader.line_num
                if None in cells:
                    problems.add(f"{prefix}line {line}: there are more cells than columns; quote cells with a comma")
                    continue
                try:
                    yield line, model.model_validate({name: cell for name, cell in cells.items() if cell})
                except ValidationError as error:
                    problems.add(*problems_of(error, f"{prefix}line {line}"))
        except csv.Error as error:
            problems.add(f"{prefix}line {reader.reader.line_num}: {error}")


def _wrong_columns(names: Sequence[str], model: type[BaseModel]) -> Iterator[str]:
    fields = model.model_fields
    for name in dict.fromkeys(names):
        if name not in fields:
            yield f"line 1: {name!r} is no column of this file; it has {', '.join(fields)}"
        elif names.count(name) > 1:
            yield f"line 1: the column {name} stands twice; keep one"
    for name, field_info in fields.items():
        if field_info.is_required() and name not in names:
            yield f"line 1: the column {name} is missing; add it"


def _open(path: Path) -> TextIO:
    try:
        return path.open("r", encoding="utf-8-sig")
    except OSError as error:
        raise _unreadable(path, str(error)) from error


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    """Yields the lines of a text file. Raises BadInput for a line over the limit, and for what is no text."""
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(LINE_MAX)
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path, f"{error}") from error
        if not line:
            return
        if "\0" in line:
            raise _unreadable(path, f"line {number} holds a zero byte")
        if len(line) == LINE_MAX and line[-1] != "\n":
            raise _unreadable(path, f"line {number} is longer than {LINE_MAX} characters")
        yield line


def _text(path: Path) -> str:
    with _open(path) as file:
        try:
            text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path, str(error)) from error
    if "\0" in text:
        raise _unreadable(path, f"line {text[: text.index(chr(0))].count(chr(10)) + 1} holds a zero byte")
    return text


def _unreadable(path: Path, reason: str) -> BadInput:
    return BadInput(f"{path} cannot be read: {reason}. Give a UTF-8 text file.")
