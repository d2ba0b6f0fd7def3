"""Makers' files: read whole, every problem named with its place; one bad line and nothing is taken."""

import csv
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
    """A units file (CSV: product, serial, lot, firmware, made_on) by line number; raises BadInput naming lines."""
    return _read_csv(path, UnitRow)


def read_owners(path: Path) -> dict[int, OwnerRow]:
    """An owners file (CSV: person, email, unit, since) by line number; raises BadInput naming lines."""
    return _read_csv(path, OwnerRow)


def _read_csv(path: Path, model: type[RowT]) -> dict[int, RowT]:
    reader = csv.DictReader(_text(path).splitlines(keepends=True), restkey="too many cells", strict=True)
    problems: list[str] = []
    rows: dict[int, RowT] = {}
    try:
        for cells in reader:
            try:
                rows[reader.line_num] = model.model_validate({name: cell for name, cell in cells.items() if cell})
            except ValidationError as error:
                problems += problems_of(error, f"line {reader.line_num}")
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")
    if problems:
        raise _refused(path, problems)
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}. Give a UTF-8 text file.") from error


def _refused(path: Path, problems: list[str]) -> BadInput:
    more = len(problems) - PROBLEMS_SHOWN
    shown = problems[:PROBLEMS_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return BadInput(f"{path} was not imported, nothing of it was taken:", shown)
