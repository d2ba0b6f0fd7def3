"""Log lines as text or as JSON, one object a line, with the trace of the work that they are about.

A trace names a batch (`b-812`). It is written into the alarm's event and into the notice, so the log lines of a
delivery have the same trace as those of the batch with the reading that caused it.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_STAGE = re.compile(r"\(stage=(\w+)")

_trace: ContextVar[str | None] = ContextVar("trace", default=None)


def set_up(level: str, form: str) -> None:
    """Write this process's log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines(_TEXT))
    logging.basicConfig(level=level, handlers=[handler])


@contextmanager
def traced(trace: str | None) -> Iterator[None]:
    """Let the lines that are logged meanwhile, in this thread or task, carry a trace; with None they carry none."""
    token = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(token)


class TextLines(logging.Formatter):
    """A line for people, the trace at its end."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, without what a traceback adds to it."""
        trace = _trace.get()
        return super().formatMessage(record) + (f" trace={trace}" if trace else "")


class JsonLines(logging.Formatter):
    """A line for programs: time, level, logger, message; stage, trace and error where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """One object, without line breaks."""
        message = record.getMessage()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if stage := _STAGE.search(message):
            line["stage"] = stage[1]
        if trace := _trace.get():
            line["trace"] = trace
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)
