"""The arguments of `device-sim`, their checks and their help."""

import argparse
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from device_sim.errors import SimError
from device_sim.faults import parse_plan
from device_sim.link import parse_broker
from device_sim.run.packets import LEVELS
from device_sim.times import SECOND, parse_duration, parse_moment, parse_zone
from device_sim.units import parse_unit

T = TypeVar("T")
CONTROL_VARIABLE = "DEVICE_SIM_CONTROL"

_ABOUT = """\
Plays connected products against an MQTT broker: a fleet with physics, seasons and faults, or a recorded series.
Every reading goes to m2m/v1/PRODUCT/SERIAL/telemetry with QoS 1 over MQTT 5. What a unit of a fleet is and runs
stands, retained, on m2m/v1/PRODUCT/SERIAL/status.

examples:
  device-sim fleet --units units.csv
  device-sim fleet --units units.csv --control /tmp/fleet.sock --truth truth.jsonl
  device-sim fault --control /tmp/fleet.sock hp-90/HP90-23-001256 pressure-loss --for 60s
  device-sim update --control /tmp/fleet.sock hp-90/HP90-23-001256 --firmware 2.4.0
  device-sim replay machine.csv --unit ac-24/AC24-23-002242 --metric motor_temp_c
  device-sim faults
  device-sim run poison --units units.csv --duration 30s
  device-sim scenarios
  device-sim reconcile runs/7 --url http://127.0.0.1:8080 --email support@example.org --password-file password.txt
"""
_FLEET = """\
Runs the units of a CSV file (columns product, serial and, if there is one, firmware) until it is stopped or --duration
is over. Each unit says on its status topic that it is online and which firmware it runs; at the end, that it is
offline.

A unit's values follow from the seed, its own name, the model time and its faults, from nothing else: the same seed
gives the same series, with or without the other units. Model time starts at --start (now, unless given) and runs
--speed times as fast as real time; --every, --duration and the times of faults are real time.

examples:
  device-sim fleet --units units.csv --every 1s --duration 60s
  device-sim fleet --units units.csv --only hp-90/HP90-23-001256 --only 'ac-24/*'
  device-sim fleet --units units.csv --fault "hp-90/HP90-23-001256 pressure-loss at=10s for=30s" --truth truth.jsonl
  device-sim fleet --units units.csv --start 2026-01-15T00:00:00Z --every 5m --duration 24h --dump winter.txt

ground truth: --truth appends JSON lines {"id", "unit", "fault", "from", "to"}: one when a fault begins ("to" is null)
and one when it ends; of the lines with the same id the last holds. Faults still on when the fleet stops end then.
"""
_FAULT = """\
Begins or ends a fault on a unit of a running fleet (one started with --control).

examples:
  device-sim fault --control /tmp/fleet.sock hp-90/HP90-23-001256 pressure-loss
  device-sim fault --control /tmp/fleet.sock hp-90/HP90-23-001256 pressure-loss --for 60s
  device-sim fault --control /tmp/fleet.sock hp-90/HP90-23-001256 --end
  device-sim fault --control /tmp/fleet.sock --list
"""
_UPDATE = """\
Lets a unit of a running fleet (one started with --control) report another firmware, as if it had been updated.

examples:
  device-sim update --control /tmp/fleet.sock hp-90/HP90-23-001256 --firmware 2.4.0
"""
_REPLAY = """\
Sends a CSV file with a column of times and columns of values as the telemetry of one unit, one message a row, in the
order of the file. The times are shifted so that the last row is now; the spacing stays exact. The whole file is read
first: when a line is bad, nothing is sent. Empty cells are left out.

Times may be ISO 8601, "2026-01-15 08:00:00" (in --time-zone), unix seconds or unix milliseconds.

examples:
  device-sim replay machine.csv --unit ac-24/AC24-23-002242 --metric motor_temp_c
  device-sim replay a.csv --unit hp-90/HP90-23-001256 --time-column time --metric flow_temp_c=flow --metric power_kw=kW
  device-sim replay machine.csv --unit ac-24/AC24-23-002242 --metric motor_temp_c --rate 0 --end 2026-01-15T00:00:00Z
"""
_RUN = """\
Plays a scenario: messages that come late, twice, out of order or poisoned, devices that are offline for hours, wrong
clocks, reconnect storms, half-open connections, and faults that the gateway has to find. SCENARIO is the name of one
that device-sim scenarios lists, or the path of a YAML file (schemas/scenario.schema.json says what it may hold).

The same seed, units and --start give the same messages. Give a run units that nothing else speaks for.

A folder is written: run.json (what was played, when, how many), messages.jsonl (a line for each message: topic, time,
values or the kind of poison, when it was sent and acknowledged) and truth.jsonl (the alarms expected, where and when).

examples:
  device-sim run steady --units units.csv
  device-sim run offline-then-replay --units units.csv --only 'hp-90/*' --seed 7 --out runs/7
  device-sim run my-scenario.yaml --units units.csv --speed 6 --duration 10s
"""
_RECONCILE = """\
Compares a run with what a gateway stored, judged and told of it, over its HTTP API and signed in as staff:

  readings  sent = stored: each value and time once; copies, contradictions and late ones explained
  poison    each message that cannot be taken is in quarantine with its reason
  alarms    the ground truth of faults = the alarms: precision, recall, delay
  notices   each alarm was told or the ledger says why not; each notice was delivered

A table is printed and an HTML report written. The exit code is 0 when all agrees, 1 when something differs, 2 when it
cannot be told: no gateway answers, the run did not end, the quarantine was trimmed.

examples:
  device-sim reconcile runs/7 --url http://127.0.0.1:8080 --email support@example.org --password-file password.txt
  device-sim reconcile runs/7 --json > runs/7/result.json   (with all three in the environment)
"""


def _argument(read: Callable[[str], T], *, least: float | None = None) -> Callable[[str], T]:
    """Returns a type for argparse that calls `read`; errors and values below `least` become a line after the usage."""

    def convert(text: str) -> T:
        try:
            value = read(text)
        except (SimError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        if least is not None and isinstance(value, (int, float)) and not (least <= value < math.inf):
            raise argparse.ArgumentTypeError(f"{text!r} is too small or not finite")
        return value

    return convert


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the command and its checked options. Exits with 2 and a line when they are wrong."""
    return _parser().parse_args(argv)


def _parser() -> argparse.ArgumentParser:
    def command(name: str, about: str, text: str) -> argparse.ArgumentParser:
        parser = commands.add_parser(
            name, help=about, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
        )
        parser.set_defaults(command=name)
        return parser

    top = argparse.ArgumentParser(
        "device-sim", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _fleet_options(command("fleet", "run a fleet of simulated units", _FLEET))
    _fault_options(command("fault", "begin or end a fault on a unit of a running fleet", _FAULT))
    command("faults", "list the faults of each product", "Lists the faults of each product and their effect.")
    _update_options(command("update", "let a unit of a running fleet report another firmware", _UPDATE))
    _replay_options(command("replay", "send a CSV file as a unit's telemetry", _REPLAY))
    _run_options(command("run", "play a scenario with a faulty fleet", _RUN))
    command(
        "scenarios", "list the scenarios that come with it", "Lists the scenarios that device-sim run knows by name."
    )
    _reconcile_options(command("reconcile", "compare a run with what a gateway made of it", _RECONCILE))
    _schema_options(command("schema", "the JSON Schema of scenario files", "Writes the JSON Schema of scenario files."))
    return top


def _fleet_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    span = _argument(parse_duration, least=1)
    add("--units", type=Path, required=True, metavar="FILE", help="CSV file with the columns product and serial")
    _mqtt_options(parser)
    add(
        "--only",
        action="append",
        default=[],
        metavar="UNIT",
        help="only this unit, or pattern such as 'hp-90/*'; repeatable",
    )
    add("--seed", type=int, default=1, help="the same seed gives the same values (default: %(default)s)")
    add(
        "--every",
        type=span,
        default=5 * SECOND,
        metavar="SPAN",
        help="time between two readings of a unit (default: 5s)",
    )
    add("--duration", type=span, metavar="SPAN", help="stop after this time (default: run until stopped)")
    add("--start", type=_argument(parse_moment), metavar="TIME", help="model time at the start (default: now)")
    add("--speed", type=_argument(float, least=0), default=1.0, help="model seconds in a second (default: 1)")
    add("--no-ts", action="store_true", help="leave ts out of the messages: the gateway takes the time they arrive")
    add(
        "--fault",
        type=_argument(parse_plan),
        action="append",
        default=[],
        metavar='"UNIT FAULT at=10s for=30s"',
        help="plan a fault: at and for count from the start and may be left out; repeatable",
    )
    add("--truth", type=Path, metavar="FILE", help="append which unit had which fault from when to when, as JSON lines")
    add("--control", type=Path, metavar="SOCKET", help="listen on this UNIX socket for the command device-sim fault")
    add("--dump", metavar="FILE", help='write lines "topic payload" to FILE (- for stdout) instead of publishing')


def _fault_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("unit", nargs="?", metavar="UNIT", help="product/serial")
    add("fault", nargs="?", metavar="FAULT", help="one that device-sim faults lists; with --end: only this one")
    _control_option(parser)
    add("--for", dest="lasts", metavar="SPAN", help="end it after this time, such as 60s (default: until it is ended)")
    add("--end", action="store_true", help="end the unit's faults")
    add("--list", action="store_true", help="list the faults that are on; without --control, those there are")


def _update_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("unit", metavar="UNIT", help="product/serial")
    add("--firmware", required=True, metavar="VERSION", help="what it reports from now on, such as 2.4.0")
    _control_option(parser)


def _control_option(parser: argparse.ArgumentParser) -> None:
    environment = os.environ.get(CONTROL_VARIABLE)
    parser.add_argument(
        "--control",
        type=Path,
        metavar="SOCKET",
        default=Path(environment) if environment else None,
        help=f"the socket the fleet listens on (default: the environment's {CONTROL_VARIABLE})",
    )


def _replay_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE.csv")
    add("--unit", type=_argument(parse_unit), required=True, metavar="UNIT", help="product/serial")
    add(
        "--metric",
        action="append",
        required=True,
        metavar="NAME[=COLUMN]",
        help="the metric, and the column it comes from (default: --column, or the column NAME, or value); repeatable",
    )
    add("--column", help="the column of the one --metric NAME")
    add("--time-column", default="timestamp", metavar="COLUMN", help="the column of times (default: %(default)s)")
    add(
        "--time-zone",
        type=_argument(parse_zone),
        default="UTC",
        metavar="ZONE",
        help="of times without one (default: UTC)",
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--end", type=_argument(parse_moment), metavar="TIME", help="the last row's time (default: now)")
    when.add_argument("--no-shift", action="store_true", help="send the times as they are")
    add("--rate", type=_argument(float, least=0), default=500.0, help="messages a second, 0: no limit (default: 500)")
    add("--encoding", default="utf-8-sig", help="of the file (default: %(default)s)")
    _mqtt_options(parser)


def _run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("scenario", metavar="SCENARIO", help="a name that device-sim scenarios lists, or the path of a YAML file")
    add("--units", type=Path, required=True, metavar="FILE", help="CSV file with the columns product and serial")
    add("--only", action="append", default=[], metavar="UNIT", help="only this unit or pattern; repeatable")
    add("--limit", type=_argument(int, least=1), metavar="N", help="so many units at most (default: the scenario's)")
    add("--seed", type=int, help="the same seed gives the same messages (default: the scenario's)")
    add("--duration", type=_argument(parse_duration, least=1), metavar="SPAN", help="default: the scenario's")
    add("--speed", type=_argument(float, least=0.001), help="scenario seconds in a second (default: the scenario's)")
    add("--start", type=_argument(parse_moment), metavar="TIME", help="the devices' time at the start (default: now)")
    add("--out", type=Path, metavar="FOLDER", help="write the run there (default: runs/SCENARIO-TIME)")
    add("--mqtt-version", choices=tuple(LEVELS), default="5", help="default: %(default)s")
    _mqtt_options(parser)


def _reconcile_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="the folder that device-sim run wrote")
    add("--url", metavar="URL", help="of the gateway (default: the environment's DEVICE_SIM_GATEWAY_URL)")
    add("--email", help="of a member of staff (default: DEVICE_SIM_GATEWAY_EMAIL)")
    add("--password-file", type=Path, metavar="FILE", help="holds the password (default: DEVICE_SIM_GATEWAY_PASSWORD)")
    add(
        "--wait",
        type=_argument(parse_duration),
        default=10 * SECOND,
        metavar="SPAN",
        help="look again while something differs, until for so long it gets no less (default: 10s)",
    )
    add("--html", type=Path, metavar="FILE", help="write the report there (default: RUN/report.html)")
    add("--json", action="store_true", help="print JSON instead of tables")
    add("--quiet", action="store_true", help="no progress")


def _schema_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, metavar="FILE", help="write it there (default: to the terminal)")
    add("--check", action="store_true", help="write nothing; exit with 1 when FILE says something else")


def _mqtt_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--mqtt",
        type=_argument(parse_broker),
        default="mqtt://127.0.0.1:1883",
        metavar="URL",
        help="the broker; mqtts:// for TLS, user:password@ before the host (default: %(default)s)",
    )
    add(
        "--wait",
        type=_argument(parse_duration),
        default=10 * SECOND,
        metavar="SPAN",
        help="how long to try when the broker does not answer at the start (default: 10s)",
    )
    add("--quiet", action="store_true", help="no status lines; errors and the end are still reported")
