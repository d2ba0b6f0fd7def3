"""Ground truth = alarms, and alarms = notices = deliveries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from device_sim.reconcile.gateway import moment
from device_sim.reconcile.model import Check, Found, Row

_OVERDUE = timedelta(seconds=30)


def compare_alarms(
    check: Check, truth: Sequence[Row], alarms: Sequence[Row], slack: timedelta, unclear_units: frozenset[str]
) -> list[tuple[Row, Row | None]]:
    """Match faults and alarms of the run's units. Returns each fault with its alarm. `unit` in both is a name."""
    unmatched = {alarm["id"]: alarm for alarm in alarms}
    matched: list[tuple[Row, Row | None]] = []
    for fault in truth:
        begin, end = moment(fault["from"]), moment(fault["to"])
        mine = [
            alarm
            for alarm in unmatched.values()
            if alarm["name"] == fault["unit"]
            and alarm["evidence"].get("metric") == fault["metric"]
            and begin - slack <= moment(alarm["onset"]) <= end + slack
        ]
        rules: dict[str, Row] = {}
        for alarm in sorted(mine, key=lambda each: str(each["onset"])):
            if alarm["rule"] in rules:
                check.differs(fault["unit"], alarm["onset"], "one alarm for one fault", f"{alarm['rule']} once more")
            rules.setdefault(alarm["rule"], alarm)
            unmatched.pop(alarm["id"])
        _judge(check, fault, list(rules.values()), unclear_units)
        matched.append((fault, next(iter(rules.values()), None)))
    for alarm in unmatched.values():
        check.differs(
            alarm["name"], alarm["onset"], "no alarm: there was no fault", f"{alarm['title']} ({alarm['rule']})"
        )
    check.expected = sum(fault["expect"] == "alarm" for fault in truth)
    check.found = len(alarms)
    check.facts["historic"] = sum(alarm["historic"] for alarm in alarms)
    return matched


def _judge(check: Check, fault: Row, alarms: list[Row], unclear_units: frozenset[str]) -> None:
    what = f"{fault['fault']} until {fault['to']}"
    if fault["expect"] == "alarm" and not alarms:
        if fault["unit"] in unclear_units:
            check.unclear.append(
                f"{fault['unit']}: no alarm for {what}, but the unit had reported newer readings before the run"
            )
        else:
            check.differs(fault["unit"], fault["from"], f"an alarm for {what}", "none")
    if fault["expect"] == "nothing" and alarms:
        check.differs(fault["unit"], fault["from"], f"no alarm for {what}", alarms[0]["title"])


def scores(matched: Sequence[tuple[Row, Row | None]], alarms: Sequence[Row]) -> tuple[float | None, float | None]:
    """Precision and recall; None where there is nothing to divide by."""
    wanted = [alarm for fault, alarm in matched if fault["expect"] == "alarm"]
    right = sum(alarm is not None for alarm in wanted)
    undecided = sum(alarm is not None for fault, alarm in matched if fault["expect"] == "either")
    judged = len(alarms) - undecided
    return (right / judged if judged else None), (right / len(wanted) if wanted else None)


def compare_notices(
    check: Check,
    alarms: Sequence[Row],
    ledger: Sequence[Row],
    notices: Sequence[Row],
    deliveries: Sequence[Row],
    names: Mapping[str, str],
    now: datetime,
) -> dict[str, str]:
    """Follow each alarm to who was told, or why nobody was. Returns the ledger's words by alarm."""
    lines: dict[str, list[Row]] = defaultdict(list)
    for line in ledger:
        lines[line["alarm"]].append(line)
    by_id = {notice["id"]: notice for notice in notices}
    channels: dict[str, list[Row]] = defaultdict(list)
    for delivery in deliveries:
        channels[delivery["notice"]].append(delivery)
    outcome: dict[str, str] = {}
    told: set[str] = set()
    check.expected = len(alarms)
    for alarm in alarms:
        mine = lines.get(alarm["id"], [])
        if len(mine) != 1:
            found = "none: nobody can say why nobody was told" if not mine else f"{len(mine)}"
            check.differs(alarm["name"], alarm["judged_at"], f"one line of the ledger for {alarm['title']}", found)
            continue
        check.found += 1
        line = mine[0]
        outcome[alarm["id"]] = f"{line['outcome']}: {line['reason']}"
        if line["notice"] is None:
            check.facts[f"nobody told: {line['reason']}"] += 1
            if line["outcome"] != "drop":
                check.differs(alarm["name"], line["at"], f"a notice ({line['outcome']}: {line['reason']})", "none")
            continue
        told.add(line["notice"])
        check.facts["joined a notice" if line["outcome"] == "drop" else "notices"] += 1
        _deliveries(check, alarm, line, by_id.get(line["notice"]), channels[line["notice"]], now)
    earliest = min((moment(alarm["judged_at"]) for alarm in alarms), default=now)
    for notice in notices:
        name = names.get(notice["unit"]["id"])
        if name and notice["id"] not in told and moment(notice["created_at"]) >= earliest:
            check.differs(name, notice["created_at"], "no notice: no alarm of this run asked for it", notice["title"])
    return outcome


def _deliveries(check: Check, alarm: Row, line: Row, notice: Row | None, ways: Sequence[Row], now: datetime) -> None:
    if notice is None:
        check.differs(alarm["name"], line["at"], f"notice {line['notice']} in the feed", "none")
        return
    if not any(way["channel"] == "feed" for way in ways):
        check.differs(alarm["name"], notice["created_at"], f"a delivery of notice {notice['id']} to the feed", "none")
    for way in ways:
        check.facts[f"{way['channel']}: {way['status']}"] += 1
        if way["status"] in ("waiting", "claimed") and moment(way["due_at"]) < now - _OVERDUE:
            check.differs(
                alarm["name"], way["due_at"], f"notice {notice['id']} sent on {way['channel']} by then", way["status"]
            )


def found_alarms(matched: Sequence[tuple[Row, Row | None]], outcome: Mapping[str, str]) -> list[Found]:
    """The faults with what became of each."""
    return [
        Found(
            unit=fault["unit"],
            fault=fault["fault"],
            begin=moment(fault["from"]),
            end=moment(fault["to"]),
            expect=fault["expect"],
            alarm=alarm,
            delay_s=(moment(alarm["judged_at"]) - moment(fault["since"])).total_seconds() if alarm else None,
            outcome=outcome.get(alarm["id"], "no line in the ledger") if alarm else "",
        )
        for fault, alarm in matched
    ]
