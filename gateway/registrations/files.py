"""Makers' files: read whole, every problem named with its place; one bad line and nothing is taken."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gateway.core.errors import BadInput, problems_of
from gateway.registrations.model import OwnerRow, ProductFile, UnitRow

PROBLEMS_SHOWN = 20

RowT = TypeVar("RowT", bound=BaseModel)


def read_product(path: Path) -> ProductFile:
    """A product file (YAML); raises BadInput that names every field that is wrong."""
    try:
        content = yaml.safe_load(_text(path))
        return ProductFile.model_validate(content)
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML, nothing was imported.", [str(error)]) from error
    except ValidationError as error:
        raise _refused(path, problems_of(error, path.name)) from error


def read_units(path: Path) -> dict[int, UnitRow]:
    """A units file by line number; raises BadInput naming lines.

    CSV: product, serial, lot, firmware, made_on, claim_code.
    """
    return _read_csv(path, UnitRow)


def read_owners(path: Path) -> dict[int, OwnerRow]:
    """An owners file (CSV: person, email, unit, since) by line number; raises BadInput naming lines."""
    return _read_csv(path, OwnerRow)


def _read_csv(path: Path, model: type[RowT]) -> dict[int, RowT]:
    reader = csv.DictReader(io.StringIO(_text(path)), strict=True)
    problems: list[str] = []
    rows: dict[int, RowT] = {}
    try:
        if problems := list(_wrong_columns(reader.fieldnames or [], model)):
            raise _refused(path, problems)
        for cells in reader:
            if None in cells:
                problems.append(f"line {reader.line_num}: there are more cells than columns; quote cells with a comma")
                continue
            try:
                rows[reader.line_num] = model.model_validate({name: cell for name, cell in cells.items() if cell})
            except ValidationError as error:
                problems += problems_of(error, f"line {reader.line_num}")
    except csv.Error as error:
        problems.append(f"line {reader.reader.line_num}: {error}")
    if problems:
        raise _refused(path, problems)
    return rows


def _wrong_columns(names: Sequence[str], model: type[BaseModel]) -> Iterator[str]:
    fields = model.model_fields
    for name in dict.fromkeys(names):
        if name not in fields:
            yield f"line 1: {name!r} is no column of this file; it has {', '.join(fields)}"
        elif names.count(name) > 1:
            yield f"line 1: the column {name} stands twice; keep one"
    for name, field in fields.items():
        if field.is_required() and name not in names:
            yield f"line 1: the column {name} is missing; add it"


def _text(path: Path) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}. Give a UTF-8 text file.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadInput(f"{path} cannot be read: line {line} holds a zero byte. Give a UTF-8 text file.")
    return text


def _refused(path: Path, problems: list[str]) -> BadInput:
    more = len(problems) - PROBLEMS_SHOWN
    shown = problems[:PROBLEMS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return BadInput(f"{path} was not imported, nothing of it was taken:", shown)
