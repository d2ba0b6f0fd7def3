"""Shows a run: a live view on a terminal, else plain lines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from device_sim.run.player import Status

_LINE_S = 5.0
_FAULTS_SHOWN = 6


class Lines:
    """Writes a status line every few seconds, or nothing when `out` is None."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self._due = _LINE_S
        self._before = (0.0, 0)

    def __call__(self, status: Status) -> None:
        """Write a line if it is due."""
        if self._out is None or status.elapsed_s < self._due:
            return
        rate = _rate(self._before, status)
        self._before, self._due = (status.elapsed_s, status.published), status.elapsed_s + _LINE_S
        self._out.write(f"{min(status.elapsed_s / status.lasts_s, 1):4.0%}  {_status_line(status, rate)}\n")
        self._out.flush()


class View:
    """A live view of the whole state."""

    def __init__(self, live: Live, title: str) -> None:
        self._live = live
        self._title = title
        self._before = (0.0, 0)
        self._rate = 0.0

    def __call__(self, status: Status) -> None:
        """Draw the view."""
        if status.elapsed_s - self._before[0] >= 1:
            self._rate = _rate(self._before, status)
            self._before = (status.elapsed_s, status.published)
        self._live.update(picture(status, self._rate, self._title), refresh=True)


def picture(status: Status, rate: float, title: str) -> Panel:
    """Returns the panel of the view, which can also be read without colours."""
    numbers = Table.grid(padding=(0, 3), expand=False)
    for _ in range(2):
        numbers.add_column(style="dim")
        numbers.add_column(justify="right", min_width=12)
    unconnected = status.devices - status.connected
    cells = [
        ("Rate", f"{rate:,.0f}/s", "Connected", f"{status.connected:,} of {status.devices:,}"),
        ("Sent", f"{status.published:,}", "Acknowledged", f"{status.acknowledged:,}"),
        ("Poison", f"{status.poison:,}", "Waiting", f"{status.waiting:,}"),
        ("PUBACK p50", _ms(status.p50), "PUBACK p99", _ms(status.p99)),
        ("Sent again", f"{status.again:,}", "Broken, unplanned", f"{status.lost:,}"),
    ]
    if status.receipted is not None:
        cells.append(("Receipted", f"{status.receipted:,}", "Given up", f"{status.given_up:,}"))
    for row in cells:
        numbers.add_row(*row)
    troubles = ", ".join(f"{count:,} {name}" for name, count in sorted(status.troubles.items()))
    progress = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=max(status.lasts_s, 0.001), completed=min(status.elapsed_s, status.lasts_s), width=28)
    progress.add_row(bar, _progress(status))
    lines: list[Text | Table] = [
        progress,
        numbers,
        Text.assemble(
            ("Connections in trouble  ", "dim"),
            troubles or ("none" if not unconnected else f"{unconnected:,} connecting"),
        ),
        Text.assemble(("Faults active           ", "dim"), _faults(status.faults)),
    ]
    if status.refused:
        lines.append(Text(f"! the broker refused {status.refused:,} messages", style="bold red"))
    if status.behind_s > 1:
        lines.append(Text(f"! {status.behind_s:.1f} s behind: this machine or the broker is too slow", style="bold"))
    return Panel(Group(*lines), title=title, title_align="left", width=78)


@contextmanager
def screen(title: str, *, quiet: bool, out: TextIO = sys.stderr) -> Iterator[View | Lines]:
    """Yields the display of a run: a live view, which ends with the block, or lines."""
    if quiet or not out.isatty():
        yield Lines(None if quiet else out)
        return
    with Live(console=Console(file=out), auto_refresh=False, transient=False) as live:
        yield View(live, title)


def _rate(before: tuple[float, int], status: Status) -> float:
    return (status.published - before[1]) / max(status.elapsed_s - before[0], 0.001)


def _status_line(status: Status, rate: float) -> str:
    text = f"{status.connected:,}/{status.devices:,} connected, {rate:,.0f}/s, sent {status.published:,}"
    text += f", acknowledged {status.acknowledged:,}"
    if status.receipted is not None:
        text += f", receipted {status.receipted:,}, sent again {status.again:,}"
        text += f", given up {status.given_up:,}" if status.given_up else ""
    text += f", poison {status.poison:,}, waiting {status.waiting:,}"
    text += f", PUBACK p50 {_ms(status.p50)} p99 {_ms(status.p99)}"
    for name, count in sorted(status.troubles.items()):
        text += f", {count:,} {name}"
    if status.faults:
        text += f", {len(status.faults):,} faults active"
    if status.refused:
        text += f", {status.refused:,} refused by the broker"
    return text + (f", {status.behind_s:.1f} s behind" if status.behind_s > 1 else "")


def _progress(status: Status) -> str:
    if status.draining:
        last = "the broker's last answers" if status.receipted is None else "the last receipts"
        return f"sent; waiting for {last}" if status.waiting else "done"
    return f"{status.elapsed_s:,.0f} s of {status.lasts_s:,.0f} s"


def _faults(faults: list[str]) -> str:
    suffix = f" and {len(faults) - _FAULTS_SHOWN:,} more" if len(faults) > _FAULTS_SHOWN else ""
    return ", ".join(faults[:_FAULTS_SHOWN]) + suffix if faults else "none"


def _ms(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "none yet"
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:,.0f} ms"
