"""Prints the result on the terminal."""

from rich.console import Console
from rich.table import Table

from device_sim.reconcile.model import Result

_DIFFERENCES_MAX = 30
_FACTS_MAX = 12


def show(result: Result, report: str) -> None:
    """Print a line for each check, the faults, then the differences."""
    console = Console(highlight=False)
    console.print(_checks(result))
    for check in result.checks:
        for fact, count in [fact for fact in check.facts.most_common() if fact[1]][:_FACTS_MAX]:
            console.print(f"  {check.name}: {count:,} {fact}", style="dim")
    if result.alarms:
        console.print(_faults(result))
        console.print(f"precision {percent(result.precision)}, recall {percent(result.recall)}")
    differences = result.differences
    if differences:
        console.print(_differences(result))
        if len(differences) > _DIFFERENCES_MAX:
            console.print(f"and {len(differences) - _DIFFERENCES_MAX:,} more; --json and the report list them")
    for text in result.unclear:
        console.print(f"cannot be told: {text}", soft_wrap=True, markup=False)
    verdict = {0: "All agrees.", 1: f"{len(differences):,} differences.", 2: "It cannot be told."}[result.exit_code]
    console.print(f"{verdict} Report: {report}", style="bold", soft_wrap=True, markup=False)


def percent(share: float | None) -> str:
    """Returns a share as text, also for None, a share of nothing."""
    return "none to tell" if share is None else f"{share:.1%}"


def seconds(delay: float | None) -> str:
    """Returns a delay in seconds as text."""
    return "" if delay is None else f"{delay:,.1f} s"


def _checks(result: Result) -> Table:
    table = Table(title=f"{result.run['scenario']['name']}, seed {result.run['seed']}", title_justify="left")
    for name in ("Check", "What it says"):
        table.add_column(name)
    for name in ("Expected", "Found", "Differences"):
        table.add_column(name, justify="right")
    for check in result.checks:
        numbers = (f"{check.expected:,}", f"{check.found:,}", f"{len(check.differences):,}")
        table.add_row(check.name, check.sentence, *numbers)
    return table


def _faults(result: Result) -> Table:
    table = Table(title="Faults and alarms", title_justify="left")
    for name in ("Unit", "Fault", "Expected", "Alarm", "After", "Told"):
        table.add_column(name)
    for item in result.alarms:
        alarm = item.alarm["title"] if item.alarm else "none"
        historic = " (historic)" if item.alarm and item.alarm["historic"] else ""
        table.add_row(item.unit, item.fault, item.expect, alarm + historic, seconds(item.delay_s), item.outcome)
    return table


def _differences(result: Result) -> Table:
    table = Table(title="Differences", title_justify="left")
    for name in ("Check", "Unit", "Time", "Expected", "Found"):
        table.add_column(name, overflow="fold")
    for item in result.differences[:_DIFFERENCES_MAX]:
        table.add_row(item.check, item.unit, item.time, item.expected, item.found)
    return table
