"""Units and owners from makers' files, all or nothing: a job that the command runs, or a worker if the command ends."""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.core.clock import system_clock
from gateway.core.errors import BadInput, GatewayError, Unavailable
from gateway.imports.jobs import AFTER_OWNERS, AFTER_UNITS, kinds
from gateway.jobs import repository as jobs
from gateway.jobs.lease import ShowProgress, show_nothing
from gateway.jobs.model import UPLOAD, Job, Kind
from gateway.jobs.runner import Runner, new_owner
from gateway.registrations import owner_import, unit_import
from gateway.registrations import repository as registrations
from gateway.registrations.files import columns_of
from gateway.registrations.model import OwnerRow, UnitRow
from gateway.registrations.owner_import import OwnerImport
from gateway.registrations.staging import Upload
from gateway.registrations.unit_import import UnitImport
from gateway.store import Connection, IntegrityError, OperationalError, connect

ROWS_MAX = 5_000_000
PROGRESS_EVERY_S = 3.0
_MODELS: dict[str, type[UnitRow] | type[OwnerRow]] = {"units": UnitRow, "owners": OwnerRow}
_CLEARABLE = {"units": unit_import.CLEARABLE, "owners": owner_import.CLEARABLE}


class Cancelled(GatewayError):
    """The import was cancelled before it changed anything."""

    code = "cancelled"


def import_rows(
    url: str,
    kind: str,
    paths: Sequence[Path],
    *,
    actor: str,
    clear: Sequence[str] | None = None,
    rows_max: int = ROWS_MAX,
    show: ShowProgress = show_nothing,
) -> list[str]:
    """Import files of units or owners together; returns a line with the result.

    `clear` names columns whose empty cells erase what is known; an empty list is every column of the files that may.
    Raises BadInput with line numbers, and Cancelled.
    """
    arguments = {"files": [path.name for path in paths], "clear": _columns_to_clear(kind, paths, clear)}
    owner = new_owner()
    with connect(url, "gateway-import") as connection:
        upload = _upload(connection, kind, paths, rows_max)
        runner = Runner(connection, kinds() | {upload.name: upload}, system_clock, owner, url, show=show)
        job = jobs.create(connection, upload.name, arguments, actor=actor, owner=owner)
        try:
            job = runner.run(job)
        except KeyboardInterrupt:
            runner.cancel()
            raise
        except (IntegrityError, OperationalError) as error:
            raise _interruption(runner.job or job, _names(paths), error) from error
    return [_line(kind, job, _names(paths))]


def _interruption(job: Job, name: str, error: Exception) -> Unavailable:
    """Returns the error for a database that went away, or where others kept changing the same rows."""
    if job.phase == UPLOAD:
        advice = "Nothing was changed; run it again."
    else:
        advice = f"A worker goes on with job {job.public_id}; see `gateway jobs list`."
    return Unavailable(f"{name} is not imported ({str(error).strip()}). {advice}")


def _upload(connection: Connection, kind: str, paths: Sequence[Path], rows_max: int) -> Kind:
    products = {product.code: product.id for product in registrations.products(connection)}
    if kind == "units":
        return Upload(UnitImport(AFTER_UNITS, products), UnitRow, paths, rows_max)
    return Upload(OwnerImport(AFTER_OWNERS, products), OwnerRow, paths, rows_max)


def _columns_to_clear(kind: str, paths: Sequence[Path], clear: Sequence[str] | None) -> list[str]:
    """Returns the columns whose empty cells erase. Raises BadInput for one that cannot, or that a file lacks."""
    clearable = _CLEARABLE[kind]
    if not_clearable := [name for name in clear or () if name not in clearable]:
        raise BadInput(f"--clear does not take {', '.join(not_clearable)}: what it erases is {', '.join(clearable)}.")
    if clear is None:
        return []
    columns = {path: columns_of(path, _MODELS[kind]) for path in paths}
    columns_to_clear = list(clear) or [name for name in clearable if any(name in names for names in columns.values())]
    problems = [
        f"{path.name}: the column {name} is missing"
        for path, names in columns.items()
        for name in columns_to_clear
        if name not in names
    ]
    if problems:
        raise BadInput(
            "--clear erases what empty cells stand for; a column that is not there would erase all:", problems
        )
    return columns_to_clear


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _line(kind: str, job: Job, name: str) -> str:
    if job.state == "cancelled":
        raise Cancelled(f"{name} was not imported: it was cancelled, and nothing was changed.")
    if job.state == "failed":
        raise BadInput(job.error or f"{name} was not imported.")
    if not job.result:
        raise Unavailable(f"{name} is not imported yet; job {job.public_id} goes on: see `gateway jobs list`.")
    return _result_line(kind, job.result, name)


def _result_line(kind: str, result: dict[str, Any], name: str) -> str:
    rows = result["rows"]
    if kind == "owners":
        return f"{name}: {result['began']} of {rows} ownerships began"
    line = f"{name}: {result['created'] + result['changed']} of {rows} units created or changed"
    reported = result["reported"]
    return line + (f"; {reported} keep the firmware that they reported" if reported else "")


def progress_printer(clock: Callable[[], float] = time.monotonic) -> ShowProgress:
    """Returns what prints progress to standard error: in place on a terminal, else a line every few seconds."""
    is_terminal = sys.stderr.isatty()
    printed_at = clock()

    def show(phase: str, done: int, total: int | None) -> None:
        nonlocal printed_at
        now = clock()
        if now - printed_at < (0.2 if is_terminal else PROGRESS_EVERY_S):
            return
        printed_at = now
        total_text = "" if total is None else f" of {total:,}"
        print(
            f"{phase}: {done:,}{total_text} rows",
            end="\x1b[K\r" if is_terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    return show
