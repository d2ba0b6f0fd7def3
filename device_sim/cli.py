"""The command `device-sim`: puts clock, broker and fleet together and prints errors as one line."""

import argparse
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

from device_sim import replay
from device_sim.arguments import CONTROL_VARIABLE, parse
from device_sim.control import ask
from device_sim.errors import SimError
from device_sim.faults import FaultBook, table
from device_sim.fleet import Device, Pace, build, dump, status
from device_sim.link import Link, Message
from device_sim.live import Clock, LiveFleet
from device_sim.reconcile.command import reconcile
from device_sim.run import command as run_command
from device_sim.table import Layout, read_table
from device_sim.times import SECOND, format_duration, iso, parse_duration
from device_sim.truth import Truth
from device_sim.units import choose, find, read_units

CLOCK = Clock(wall=time.time, monotonic=time.monotonic)
_INTERRUPTED = 130


class Stop:
    """A flag that SIGINT and SIGTERM set; a second signal ends the program at once."""

    def __init__(self) -> None:
        self.is_set = False

    def install(self) -> None:
        """Handle the signals, also where the shell ignores SIGINT for a program in the background."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        return self.is_set

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.is_set = True
        signal.signal(number, signal.SIG_DFL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns 0 when all went well, 1 after a line on stderr when not."""
    options = parse(argv)
    commands = {
        "fleet": fleet,
        "fault": fault,
        "faults": faults,
        "update": update,
        "replay": replay_file,
        "run": run_scenario,
        "scenarios": run_command.scenarios,
        "schema": run_command.print_schema,
        "reconcile": reconcile_run,
    }
    try:
        return commands[options.command](options)
    except SimError as error:
        print(f"device-sim: {error}", file=sys.stderr)
    except BrokenPipeError:
        # The reader (`| head`) has closed the pipe, which is no failure. The interpreter must not report it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 1


def fleet(options: argparse.Namespace) -> int:
    """Run or dump a fleet."""
    if options.dump and options.duration is None:
        raise SimError("--dump needs --duration, or it would never end")
    if options.dump and options.control:
        raise SimError("--dump computes everything at once: leave out --control and plan faults with --fault")
    units = choose(read_units(options.units), options.only)
    devices = build(units, options.seed)
    start = int(CLOCK.wall() * SECOND)
    model_start = start if options.start is None else options.start // 1_000
    pace = Pace(model_start, options.every, options.speed, options.duration, with_ts=not options.no_ts)
    with Truth(options.truth) as truth:
        book = FaultBook(model_start if options.dump else start, truth.record)
        for plan in options.fault:
            find(units, str(plan.unit))
            book.plan(plan)
        return _dump(options, devices, pace, book) if options.dump else _live(options, devices, pace, book)


def _dump(options: argparse.Namespace, devices: Sequence[Device], pace: Pace, book: FaultBook) -> int:
    lines = dump(devices, pace, book)
    if options.dump == "-":
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
    else:
        try:
            with Path(options.dump).open("wb") as file:
                file.writelines(lines)
        except OSError as error:
            raise SimError(f"cannot write {options.dump}: {error.strerror}") from error
    book.close(pace.duration or 0)
    return 0


def _live(options: argparse.Namespace, devices: Sequence[Device], pace: Pace, book: FaultBook) -> int:
    stop = Stop()
    stop.install()
    # A connection has one last will, so only a single unit has one; a fleet sends "offline" for its units.
    will = (devices[0].unit.status_topic, status("offline")) if len(devices) == 1 else None
    with closing(_link(options, will)) as link:
        link.connect(options.wait / SECOND, stop)
        run = LiveFleet(
            devices=devices, pace=pace, link=link, book=book, clock=CLOCK, stopping=stop, say=_say, quiet=options.quiet
        )
        unacknowledged = run.run(options.control)
    return 1 if (unacknowledged or link.counts.refused) and not stop() else 0


def fault(options: argparse.Namespace) -> int:
    """Ask a running fleet to begin, end or list faults."""
    if options.list and options.control is None:
        print(table())
        return 0
    control = _control(options)
    if options.list:
        print(ask(control, {"do": "list"}))
        return 0
    if options.unit is None or (options.fault is None and not options.end):
        raise SimError("say which unit and which fault, for example: hp-90/HP90-23-001256 pressure-loss, or UNIT --end")
    request = {"do": "end" if options.end else "begin", "unit": options.unit, "fault": options.fault}
    if options.lasts is not None:
        parse_duration(options.lasts)
        request["for"] = options.lasts
    print(ask(control, request))
    return 0


def update(options: argparse.Namespace) -> int:
    """Ask a running fleet to let a unit report another firmware."""
    print(ask(_control(options), {"do": "update", "unit": options.unit, "firmware": options.firmware}))
    return 0


def _control(options: argparse.Namespace) -> Path:
    if options.control is None:
        raise SimError(f"--control SOCKET is missing: the path the fleet was started with (or set {CONTROL_VARIABLE})")
    return Path(options.control)


def faults(_options: argparse.Namespace) -> int:
    """Print the catalogue of faults."""
    print(table())
    return 0


def replay_file(options: argparse.Namespace) -> int:
    """Send a file; the exit code says whether every row was acknowledged."""
    layout = Layout(options.metric, options.column, options.time_column, options.time_zone, options.encoding)
    rows = read_table(options.file, layout)
    now = int(CLOCK.wall() * SECOND) * 1_000
    if not options.no_shift:
        rows = replay.shift(rows, now if options.end is None else options.end)
    facts = replay.summarize(rows)
    if facts.latest > now:
        ahead = format_duration((facts.latest - now) / 1_000)
        _say(f"note: the latest row lies {ahead} in the future; a gateway may refuse it")
    stop = Stop()
    stop.install()
    with closing(_link(options)) as link:
        link.connect(options.wait / SECOND, stop)
        progress = replay.Progress(facts.rows - facts.empty, sys.stderr, CLOCK.monotonic, quiet=options.quiet)
        started_at = CLOCK.monotonic()
        replay.send(rows, options.unit, rate=options.rate, link=link, clock=CLOCK, stopping=stop, progress=progress)
        duration_s = CLOCK.monotonic() - started_at
    counts = link.counts
    empty = f" ({facts.empty:,} without a value left out)" if facts.empty else ""
    print(f"{facts.rows:,} rows{empty}, {facts.times:,} distinct times, {iso(facts.first)} to {iso(facts.last)}")
    if stop():
        print("interrupted before the end")
    refused = f", {counts.refused:,} refused" if counts.refused else ""
    rate = counts.acknowledged / max(duration_s, 0.001)
    print(
        f"published {counts.published:,} to {options.unit}, acknowledged {counts.acknowledged:,}{refused}, "
        f"in {duration_s:,.1f} s ({rate:,.0f}/s)"
    )
    if stop():
        return _INTERRUPTED
    return 0 if counts.acknowledged == facts.rows - facts.empty else 1


def run_scenario(options: argparse.Namespace) -> int:
    """Play a scenario with a faulty fleet."""
    stop = Stop()
    stop.install()
    return run_command.run(options, CLOCK, stop, _say)


def reconcile_run(options: argparse.Namespace) -> int:
    """Compare a run with what a gateway stored of it."""
    stop = Stop()
    stop.install()
    return reconcile(options, CLOCK, time.sleep, stop, _say)


def _link(options: argparse.Namespace, will: Message | None = None) -> Link:
    return Link(options.mqtt, f"device-sim-{secrets.token_hex(4)}", CLOCK.monotonic, _say, will)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
