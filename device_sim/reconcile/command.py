"""`device-sim reconcile`: compare, tell it on the terminal or as JSON, and write the report."""

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
UNTOLD = 2
_PAUSE_S = 1.0
_REPORT = "report.html"


def reconcile(
    options: argparse.Namespace, clock: Clock, sleep: Callable[[float], None], stopping: Callable[[], bool], say: Say
) -> int:
    """Returns 0 when all agrees, 1 on a difference, 2 when it cannot be told."""
    try:
        result = _compare(options, clock, sleep, stopping, (lambda _: None) if options.quiet else say)
        target = options.html or options.run / _REPORT
        _write(target, report(result, read_sent(options.run)))
    except SimError as error:
        print(f"device-sim: it cannot be told: {error}", file=sys.stderr)
        return UNTOLD
    if options.json:
        print(json.dumps(summary(result), indent=2, ensure_ascii=False, default=str))
    else:
        show(result, str(target))
    return result.exit_code


def summary(result: Result) -> dict[str, object]:
    """The result as JSON."""
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
            {"unit": each.unit, "fault": each.fault, "from": each.begin, "to": each.end, "expect": each.expect,
             "alarm": each.alarm and each.alarm["id"], "delay_s": each.delay_s, "outcome": each.outcome}
            for each in result.alarms
        ],
        "differences": [asdict(each) for each in result.differences],
        "cannot_be_told": result.unclear,
    }  # fmt: skip


def _compare(
    options: argparse.Namespace, clock: Clock, sleep: Callable[[float], None], stopping: Callable[[], bool], say: Say
) -> Result:
    """Compare, and again while something differs and it gets less: the gateway may still be at it."""
    sent = read_sent(options.run)
    before, since = None, clock.monotonic()
    with Gateway(*_access(options)) as gateway:
        while True:
            result = Comparison(options.run, sent, gateway, say).result()
            now, differ = clock.monotonic(), len(result.differences)
            if before is None or differ < before:
                before, since = differ, now
            if not differ or stopping() or now - since >= options.wait / SECOND:
                return result
            say(f"{differ:,} differences so far; looking again")
            sleep(_PAUSE_S)


def _access(options: argparse.Namespace) -> tuple[str, str, str]:
    """Address, e-mail and password from the options or the environment."""
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
