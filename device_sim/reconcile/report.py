"""The result as one self-contained HTML file, with charts as inline SVG and all numbers in tables."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from importlib.resources import files
from string import Template

from device_sim.reconcile.gateway import moment
from device_sim.reconcile.model import Check, Result
from device_sim.reconcile.sent import Sent
from device_sim.reconcile.table import percent, seconds

_DIFFERENCES = 1_000
_BARS = 120
_WAITS_MS = (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000)
_VERDICT = {
    0: ("ok", "✓", "All agrees"),
    1: ("bad", "✕", "There are differences"),
    2: ("unclear", "?", "It cannot be told"),
}


def report(result: Result, sent: Sent) -> str:
    """Returns the page as HTML."""
    page = Template((files("device_sim") / "reconcile" / "report.html").read_text("utf-8"))
    tone, mark, words = _VERDICT[result.exit_code]
    run = result.run
    return page.substitute(
        title=escape(f"{run['scenario']['name']}, seed {run['seed']}"),
        about=escape(run["scenario"]["about"]),
        tone=tone,
        mark=mark,
        verdict=words,
        facts=_rows(
            [
                ("Run", result.folder),
                ("Gateway", result.gateway),
                ("Broker", run["broker"]),
                ("Began", run["began"]),
                ("Ended", run["ended"] + (" (stopped)" if run.get("stopped") else "")),
                ("Units", f"{len(run['units']):,}"),
                ("Messages", f"{sent.messages:,}"),
                ("Sent again", f"{run['counts']['again']:,}"),
                ("Alarm precision", percent(result.precision)),
                ("Alarm recall", percent(result.recall)),
            ]
        ),
        checks="".join(_check(check) for check in result.checks),
        differences=_differences(result),
        unclear=_unclear(result),
        rate=_rate(sent),
        waits=_waits(sent),
        faults=_faults(result),
        kinds=_rows((name, f"{count:,}") for name, count in sorted(sent.kinds.items())),
        details="".join(_details(check) for check in result.checks),
    )


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in pairs)


def _check(check: Check) -> str:
    is_good = not check.differences and not check.unclear
    state = "✓ agrees" if is_good else f"✕ {len(check.differences):,} differ" if check.differences else "? unclear"
    return (
        f'<tr><th scope="row">{check.name}<small>{escape(check.sentence)}</small></th>'
        f'<td class="n">{check.expected:,}</td><td class="n">{check.found:,}</td>'
        f'<td class="{"good" if is_good else "bad"}">{state}</td></tr>'
    )


def _details(check: Check) -> str:
    rows = _rows((name, f"{count:,}") for name, count in check.facts.most_common() if count)
    if not rows:
        return ""
    return f"<h3>{escape(check.name)}</h3><table><tbody>{rows}</tbody></table>"


def _differences(result: Result) -> str:
    differences = result.differences
    if not differences:
        return (
            "<p>None. A reading, a refusal, an alarm or a notice that is missing, extra or other would stand here.</p>"
        )
    rows = "".join(
        f'<tr><td>{escape(item.check)}</td><th scope="row">{escape(item.unit)}</th><td>{escape(item.time)}</td>'
        f"<td>{escape(item.expected)}</td><td>{escape(item.found)}</td></tr>"
        for item in differences[:_DIFFERENCES]
    )
    suffix = f"<p>And {len(differences) - _DIFFERENCES:,} more.</p>" if len(differences) > _DIFFERENCES else ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Check", "Unit", "Time", "Expected", "Found"))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{suffix}'


def _unclear(result: Result) -> str:
    items = "".join(f"<li>{escape(text)}</li>" for text in result.unclear)
    return f"<h2>What cannot be told</h2><ul>{items}</ul>" if items else ""


def _rate(sent: Sent) -> str:
    """Returns the good and poisonous messages each second as bars and as a table."""
    if not sent.seconds:
        return "<p>Nothing was sent.</p>"
    last = max(sent.seconds) + 1
    width = -(-last // _BARS)
    groups = [
        [
            sum(sent.seconds.get(second, (0, 0))[kind] for second in range(begin, begin + width)) / width
            for kind in (0, 1)
        ]
        for begin in range(0, last, width)
    ]
    top = max(good + poison for good, poison in groups) or 1
    step = 100 / len(groups)
    bars = "".join(
        _bar(index * step, step, good / top, 0, "good") + _bar(index * step, step, poison / top, good / top, "bad")
        for index, (good, poison) in enumerate(groups)
    )
    rows = "".join(
        f'<tr><th scope="row">{index * width} s</th><td class="n">{good:,.0f}</td><td class="n">{poison:,.0f}</td></tr>'
        for index, (good, poison) in enumerate(groups)
    )
    return _figure(
        bars, f"Messages each second, at most {top:,.0f}", f"{top:,.0f}/s", ("0 s", f"{last:,} s"),
        ("From", "Good, each second", "Poison, each second"), rows,
    )  # fmt: skip


def _waits(sent: Sent) -> str:
    """Returns the times to PUBACK as bars and as a table; a sample of a large run."""
    counts = [0] * (len(_WAITS_MS) + 1)
    for wait in sent.waits:
        counts[sum(wait > edge for edge in _WAITS_MS)] += 1
    top, step = max([*counts, 1]), 100 / len(counts)
    bars = "".join(_bar(index * step, step, count / top, 0, "good") for index, count in enumerate(counts))
    names = [f"up to {edge:g} ms" for edge in _WAITS_MS] + ["longer"]
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td class="n">{count:,}</td></tr>'
        for name, count in zip(names, counts, strict=True)
    )
    return _figure(
        bars, "Time to PUBACK, number of messages", f"{top:,}", (names[0], names[-1]),
        ("PUBACK after", "Messages (sample)"), rows,
    )  # fmt: skip


def _bar(left: float, width: float, height: float, base: float, tone: str) -> str:
    if height <= 0:
        return ""
    return (
        f'<rect class="{tone}" x="{left:.2f}" width="{width * 0.9:.2f}" '
        f'y="{100 * (1 - base - height):.2f}" height="{100 * height:.2f}"/>'
    )


def _figure(bars: str, label: str, top: str, ends: tuple[str, str], head: Sequence[str], rows: str) -> str:
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f'<figure><div class="top">{escape(top)}</div>'
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 100 100" preserveAspectRatio="none">{bars}</svg>'
        f'<div class="ends"><span>{escape(ends[0])}</span><span>{escape(ends[1])}</span></div></figure>'
        f"<details><summary>As a table</summary><table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
        "</details>"
    )


def _faults(result: Result) -> str:
    """Returns a table of the faults, each with its span, alarm, delay and outcome."""
    if not result.alarms:
        return "<p>This run had no faults: an alarm would be a difference.</p>"
    moments = [item.begin for item in result.alarms] + [item.end for item in result.alarms]
    moments += [moment(item.alarm["raised_at"]) for item in result.alarms if item.alarm]
    period_begin, period_end = min(moments), max(moments)
    period = (period_end - period_begin) or timedelta(seconds=1)

    def percent(at: datetime) -> float:
        return 100 * ((at - period_begin) / period)

    rows = []
    for item in result.alarms:
        left, width = percent(item.begin), percent(item.end) - percent(item.begin)
        shapes = f'<rect class="span" x="{left:.2f}" width="{max(width, 0.6):.2f}" y="30" height="40"/>'
        title = "none"
        if alarm := item.alarm:
            at = min(percent(moment(alarm["raised_at"])), 99)
            shapes += f'<rect class="alarm" x="{at:.2f}" width="1" y="0" height="100"/>'
            title = alarm["title"] + (" (historic)" if alarm["historic"] else "")
        picture = (
            f'<svg class="line" aria-hidden="true" viewBox="0 0 100 100" preserveAspectRatio="none">{shapes}</svg>'
        )
        cells = (
            f"{item.begin:%H:%M:%S} to {item.end:%H:%M:%S}", item.expect, title, seconds(item.delay_s), item.outcome
        )  # fmt: skip
        rows.append(
            f'<tr><th scope="row">{escape(item.unit)}<small>{escape(item.fault)}</small></th><td>{picture}</td>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            + "</tr>"
        )
    names = ("Unit", "Fault (bar) and alarm (line)", "Device time", "Expected", "Alarm", "After", "Told")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
