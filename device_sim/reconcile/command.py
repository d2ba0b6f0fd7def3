"""`device-sim reconcile`: compares, prints the result on the terminal or as JSON, and writes the report."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from device_sim.errors import SimError
from device_sim.link import Say
from device_sim.live import Clock
from device_sim.reconcile.compare import Comparison
from device_sim.reconcile.gateway import Gateway
from device_sim.reconcile.model import Result
from device_sim.reconcile.report import report
from device_sim.reconcile.sent import read_sent
from device_sim.reconcile.table import show
from device_sim.times import SECOND

URL, EMAIL, PASSWORD = "DEVICE_SIM_GATEWAY_URL", "DEVICE_SIM_GATEWAY_EMAIL", "DEVICE_SIM_GATEWAY_PASSWORD"
UNCLEAR = 2
_PAUSE_S = 1.0
_REPORT = "report.html"


def reconcile(
    options: argparse.Namespace, clock: Clock, sleep: Callable[[float], None], stopping: Callable[[], bool], say: Say
) -> int:
    """Returns 0 when all agrees, 1 on a difference, 2 when the result is unclear."""
    try:
        result = _compare(options, clock, sleep, stopping, (lambda _: None) if options.quiet else say)
        target = options.html or options.run / _REPORT
        _write(target, report(result, read_sent(options.run)))
    except SimError as error:
        print(f"device-sim: it cannot be told: {error}", file=sys.stderr)
        return UNCLEAR
    if options.json:
        print(json.dumps(summary(result), indent=2, ensure_ascii=False, default=str))
    else:
        show(result, str(target))
    return result.exit_code


def summary(result: Result) -> dict[str, object]:
    """Returns the result for JSON."""
    return {
        "agrees": result.exit_code == 0,
        "run": result.folder,
        "scenario": result.run["scenario"]["name"],
        "seed": result.run["seed"],
        "gateway": result.gateway,
        "precision": result.precision,
        "recall": result.recall,
        "checks": [
            {"name": check.name, "expected": check.expected, "found": check.found, "facts": dict(check.facts),
             "differences": len(check.differences)}
            for check in result.checks
        ],
        "faults": [
            {"unit": item.unit, "fault": item.fault, "from": item.begin, "to": item.end, "expect": item.expect,
             "alarm": item.alarm and item.alarm["id"], "delay_s": item.delay_s, "outcome": item.outcome}
            for item in result.alarms
        ],
        "differences": [asdict(difference) for difference in result.differences],
        "cannot_be_told": result.unclear,
    }  # fmt: skip


def _compare(
    options: argparse.Namespace, clock: Clock, sleep: Callable[[float], None], stopping: Callable[[], bool], say: Say
) -> Result:
    """Compare, and compare again while the number of differences falls: the gateway may still be working."""
    sent = read_sent(options.run)
    fewest, since = None, clock.monotonic()
    with Gateway(*_access(options)) as gateway:
        while True:
            result = Comparison(options.run, sent, gateway, say).result()
            now, count = clock.monotonic(), len(result.differences)
            if fewest is None or count < fewest:
                fewest, since = count, now
            if not count or stopping() or now - since >= options.wait / SECOND:
                return result
            say(f"{count:,} differences so far; looking again")
            sleep(_PAUSE_S)


def _access(options: argparse.Namespace) -> tuple[str, str, str]:
    """Returns URL, e-mail and password from the options or the environment. Raises SimError."""
    url, email = options.url or os.environ.get(URL), options.email or os.environ.get(EMAIL)
    if not url or not email:
        raise SimError(f"say which gateway and who you are: --url and --email, or {URL} and {EMAIL}")
    password = os.environ.get(PASSWORD)
    if options.password_file is not None:
        try:
            password = options.password_file.read_text("utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SimError(f"cannot read {options.password_file}: {getattr(error, 'strerror', error)}") from None
    if not password:
        raise SimError(f"the password is missing: --password-file, or {PASSWORD}")
    return url, email, password


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise SimError(f"cannot write {path}: {error.strerror}") from None
