"""Log lines as programs and people read them: one line each, with stage and trace."""

import json
import logging
import sys

from gateway.logs import JsonLines, TextLines, traced


def record(message, *given, **more):
    return logging.LogRecord("gateway.ingest.ingest", logging.INFO, "file", 1, message, given, None, **more)


def test_a_json_line_has_stage_and_trace_and_no_line_break():
    with traced("b-8"):
        line = JsonLines().format(record("%d messages\nof %s (stage=receive).", 3, "\x1b\ud800"))
    assert "\n" not in line
    assert line.isascii(), "whatever a device writes, it can be written"
    told = json.loads(line)
    assert (told["stage"], told["trace"], told["level"]) == ("receive", "b-8", "INFO")
    assert told["time"].endswith("+00:00")
    assert "stage" not in json.loads(JsonLines().format(record("Connected.")))


def test_an_error_stays_in_its_line():
    try:
        json.loads("two\nlines")
    except ValueError:
        broken = record("It broke.")
        broken.exc_info = sys.exc_info()
    line = JsonLines().format(broken)
    assert "\n" not in line
    assert "JSONDecodeError" in json.loads(line)["error"]


def test_a_trace_ends_with_its_work_and_inner_work_has_its_own():
    lines = []
    with traced("outer"):
        with traced("inner"):
            lines.append(TextLines("%(message)s").format(record("a")))
        with traced(None):
            lines.append(TextLines("%(message)s").format(record("b")))
        lines.append(TextLines("%(message)s").format(record("c")))
    lines.append(TextLines("%(message)s").format(record("d")))
    assert lines == ["a trace=inner", "b", "c trace=outer", "d"]
