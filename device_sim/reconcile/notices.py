"""Compares the ground truth with the alarms, and the alarms with ledger, notices and deliveries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from device_sim.reconcile.gateway import moment
from device_sim.reconcile.model import Check, FaultAlarm, Row

_OVERDUE = timedelta(seconds=30)


def compare_alarms(
    check: Check, truth: Sequence[Row], alarms: Sequence[Row], slack: timedelta, unclear_units: frozenset[str]
) -> list[tuple[Row, Row | None]]:
    """Match faults and alarms of the run's units. Returns each fault with its alarm."""
    unmatched = {alarm["id"]: alarm for alarm in alarms}
    pairs: list[tuple[Row, Row | None]] = []
    for fault in truth:
        begin, end = moment(fault["from"]), moment(fault["to"])
        fault_matches = [
            alarm
            for alarm in unmatched.values()
            if alarm["name"] == fault["unit"]
            and alarm["evidence"].get("metric") == fault["metric"]
            and begin - slack <= moment(alarm["onset"]) <= end + slack
        ]
        rules: dict[str, Row] = {}
        for alarm in sorted(fault_matches, key=lambda alarm: str(alarm["onset"])):
            if alarm["rule"] in rules:
                check.differs(fault["unit"], alarm["onset"], "one alarm for one fault", f"{alarm['rule']} once more")
            rules.setdefault(alarm["rule"], alarm)
            unmatched.pop(alarm["id"])
        _judge(check, fault, list(rules.values()), unclear_units)
        pairs.append((fault, next(iter(rules.values()), None)))
    for alarm in unmatched.values():
        check.differs(
            alarm["name"], alarm["onset"], "no alarm: there was no fault", f"{alarm['title']} ({alarm['rule']})"
        )
    check.expected = sum(fault["expect"] == "alarm" for fault in truth)
    check.found = len(alarms)
    check.facts["historic"] = sum(alarm["historic"] for alarm in alarms)
    return pairs


def _judge(check: Check, fault: Row, alarms: list[Row], unclear_units: frozenset[str]) -> None:
    fault_text = f"{fault['fault']} until {fault['to']}"
    if fault["expect"] == "alarm" and not alarms:
        if fault["unit"] in unclear_units:
            check.unclear.append(
                f"{fault['unit']}: no alarm for {fault_text}, but the unit had reported newer readings before the run"
            )
        else:
            check.differs(fault["unit"], fault["from"], f"an alarm for {fault_text}", "none")
    if fault["expect"] == "nothing" and alarms:
        check.differs(fault["unit"], fault["from"], f"no alarm for {fault_text}", alarms[0]["title"])


def scores(pairs: Sequence[tuple[Row, Row | None]], alarms: Sequence[Row]) -> tuple[float | None, float | None]:
    """Returns precision and recall, each None when its divisor is zero."""
    expected_alarms = [alarm for fault, alarm in pairs if fault["expect"] == "alarm"]
    matched = sum(alarm is not None for alarm in expected_alarms)
    undecided = sum(alarm is not None for fault, alarm in pairs if fault["expect"] == "either")
    decided = len(alarms) - undecided
    return (matched / decided if decided else None), (matched / len(expected_alarms) if expected_alarms else None)


def compare_notices(
    check: Check,
    alarms: Sequence[Row],
    ledger: Sequence[Row],
    notices: Sequence[Row],
    deliveries: Sequence[Row],
    names: Mapping[str, str],
    now: datetime,
) -> dict[str, str]:
    """Check ledger, notice and deliveries of each alarm. Returns outcome and reason of the ledger by alarm."""
    lines: dict[str, list[Row]] = defaultdict(list)
    for line in ledger:
        lines[line["alarm"]].append(line)
    by_id = {notice["id"]: notice for notice in notices}
    channels: dict[str, list[Row]] = defaultdict(list)
    for delivery in deliveries:
        channels[delivery["notice"]].append(delivery)
    outcomes: dict[str, str] = {}
    notice_ids: set[str] = set()
    check.expected = len(alarms)
    for alarm in alarms:
        alarm_lines = lines.get(alarm["id"], [])
        if len(alarm_lines) != 1:
            line_count = "none: nobody can say why nobody was told" if not alarm_lines else f"{len(alarm_lines)}"
            check.differs(alarm["name"], alarm["judged_at"], f"one line of the ledger for {alarm['title']}", line_count)
            continue
        check.found += 1
        line = alarm_lines[0]
        outcomes[alarm["id"]] = f"{line['outcome']}: {line['reason']}"
        if line["notice"] is None:
            check.facts[f"nobody told: {line['reason']}"] += 1
            if line["outcome"] != "drop":
                check.differs(alarm["name"], line["at"], f"a notice ({line['outcome']}: {line['reason']})", "none")
            continue
        notice_ids.add(line["notice"])
        check.facts["joined a notice" if line["outcome"] == "drop" else "notices"] += 1
        _deliveries(check, alarm, line, by_id.get(line["notice"]), channels[line["notice"]], now)
    earliest = min((moment(alarm["judged_at"]) for alarm in alarms), default=now)
    for notice in notices:
        name = names.get(notice["unit"]["id"])
        if name and notice["id"] not in notice_ids and moment(notice["created_at"]) >= earliest:
            check.differs(name, notice["created_at"], "no notice: no alarm of this run asked for it", notice["title"])
    return outcomes


def _deliveries(
    check: Check, alarm: Row, line: Row, notice: Row | None, deliveries: Sequence[Row], now: datetime
) -> None:
    if notice is None:
        check.differs(alarm["name"], line["at"], f"notice {line['notice']} in the feed", "none")
        return
    for delivery in deliveries:
        check.facts[f"{delivery['channel']}: {delivery['status']}"] += 1
        if delivery["status"] in ("waiting", "claimed") and moment(delivery["due_at"]) < now - _OVERDUE:
            check.differs(
                alarm["name"],
                delivery["due_at"],
                f"notice {notice['id']} sent on {delivery['channel']} by then",
                delivery["status"],
            )


def fault_alarms(pairs: Sequence[tuple[Row, Row | None]], outcomes: Mapping[str, str]) -> list[FaultAlarm]:
    """Returns each fault with its alarm and outcome."""
    return [
        FaultAlarm(
            unit=fault["unit"],
            fault=fault["fault"],
            begin=moment(fault["from"]),
            end=moment(fault["to"]),
            expect=fault["expect"],
            alarm=alarm,
            delay_s=(moment(alarm["judged_at"]) - moment(fault["since"])).total_seconds() if alarm else None,
            outcome=outcomes.get(alarm["id"], "no line in the ledger") if alarm else "",
        )
        for fault, alarm in pairs
    ]
