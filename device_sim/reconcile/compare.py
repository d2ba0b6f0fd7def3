"""Compares a run with the gateway: readings, poison, alarms, notices."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from device_sim.errors import SimError
from device_sim.reconcile.gateway import Gateway, key, moment
from device_sim.reconcile.model import Check, Result
from device_sim.reconcile.notices import compare_alarms, compare_notices, fault_alarms, scores
from device_sim.reconcile.readings import Stored, clock, compare_readings
from device_sim.reconcile.sent import Sent, topics_of
from device_sim.run.folder import read_run, read_truth
from device_sim.run.scenario import span

_MARGIN = timedelta(minutes=1)  # around a unit's readings, to find stored ones that were not sent
_AHEAD = timedelta(days=1)
_SLACK = timedelta(seconds=2)  # until a fault has an effect
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Comparison:
    """Compares one run with one gateway at one time."""

    def __init__(self, folder: Path, sent: Sent, gateway: Gateway, say: Callable[[str], None]) -> None:
        """Raises SimError when the run did not end, since its log is not complete then."""
        self._folder = folder
        self._sent = sent
        self._gateway = gateway
        self._say = say
        self._run = read_run(folder)
        if self._run["ended"] is None:
            raise SimError(f"the run in {folder} did not end: what was on its way then is written nowhere")
        self._began = moment(self._run["began"])

    def result(self) -> Result:
        """Compare everything."""
        gateway_units = self._gateway.units()
        unit_ids = {name: gateway_units.get(key(*name.split("/", 1))) for name in self._run["units"]}
        names = {unit: name for name, unit in unit_ids.items() if unit is not None}
        readings, newer_before = self._readings(unit_ids)
        alarms_check = Check("alarms", "Each fault raised its alarm, and nothing else did.")
        alarms = [
            alarm | {"name": names[alarm["unit"]]}
            for alarm in self._gateway.alarms(self._began)
            if alarm["unit"] in names
        ]
        truth = read_truth(self._folder)
        slack = _SLACK + 2 * timedelta(milliseconds=span(self._run["scenario"]["every"]))
        pairs = compare_alarms(alarms_check, truth, alarms, slack, newer_before)
        notices = Check("notices", "Each alarm was told, or the ledger says why not; each notice was delivered.")
        outcomes = compare_notices(
            notices,
            alarms,
            self._gateway.ledger(self._began),
            self._gateway.notices(self._began),
            self._gateway.deliveries(self._began),
            names,
            datetime.now(UTC),
        )
        precision, recall = scores(pairs, alarms)
        return Result(
            run=self._run,
            folder=str(self._folder),
            gateway=self._gateway.url,
            checks=[readings, self._poison(), alarms_check, notices],
            alarms=fault_alarms(pairs, outcomes),
            precision=precision,
            recall=recall,
        )

    def _readings(self, unit_ids: dict[str, str | None]) -> tuple[Check, frozenset[str]]:
        """Returns the check of all units, and the units that had newer readings before the run."""
        check = Check(
            "readings",
            "Each reading that the broker, or a receipt, answers for is stored once, with its value and time.",
        )
        newer_before: set[str] = set()
        began_us = _us(self._began)
        for number, (name, unit) in enumerate(unit_ids.items()):
            if number % 500 == 499:
                self._say(f"compared {number + 1:,} of {len(unit_ids):,} units")
            product, serial = name.split("/", 1)
            messages = self._sent.of(f"m2m/v1/{product}/{serial}/telemetry")
            if not messages:
                continue
            if unit is None:
                check.differs(name, self._run["began"], f"a unit with {len(messages):,} messages", "no such unit")
                continue
            first = _EPOCH + timedelta(microseconds=min(message.ts_us for message in messages)) - _MARGIN
            last = _EPOCH + timedelta(microseconds=max(message.ts_us for message in messages)) + _MARGIN
            stored = self._gateway.telemetry(unit, first, last)
            conflicts = self._gateway.conflicts(unit, first, last)
            leftover = compare_readings(check, name, messages, stored, conflicts, began_us)
            check.facts["of before the run, in its time"] += leftover.before
            if leftover.late and self._is_late_explained(check, name, unit, leftover.late, began_us):
                newer_before.add(name)
        return check, frozenset(newer_before)

    def _is_late_explained(self, check: Check, name: str, unit: str, late: list[Stored], began_us: int) -> bool:
        """Whether newer readings from before the run explain a late one; notes each unexplained one as a difference."""
        since = _EPOCH + timedelta(microseconds=min(row[1] for row in late))
        rows_before_run = [row for row in self._gateway.telemetry(unit, since, since + _AHEAD) if row[3] < began_us]
        newest_times: dict[str, int] = {}
        for metric, at, *_ in rows_before_run:
            newest_times[metric] = max(newest_times.get(metric, 0), at)
        is_explained = False
        for metric, at, value, _, _ in late:
            if newest_times.get(metric, 0) > at:
                is_explained = True
                check.facts["late behind readings of before the run"] += 1
            else:
                check.differs(name, clock(at), f"{metric} {value} in time: nothing newer came before it", "late")
        return is_explained

    def _poison(self) -> Check:
        check = Check("poison", "Each message that cannot be taken is in quarantine with its reason, and nothing else.")
        rows, trimmed = self._gateway.quarantine(self._began)
        topics = set(topics_of(self._sent))
        refused_counts = Counter((row["topic"], row["reason"]) for row in rows if row["topic"] in topics)
        check.expected = sum(poison.least for poison in self._sent.poison.values() if not poison.unheard)
        check.found = refused_counts.total()
        missing: Counter[str] = Counter()
        for (topic, reason), poison in self._sent.poison.items():
            if poison.unheard:
                check.facts["to topics that the gateway does not listen to"] += poison.most
                continue
            count = refused_counts.pop((topic, reason), 0)
            time = (self._began + timedelta(milliseconds=poison.first_ms)).isoformat()
            check.facts[reason] += count
            if count < poison.least and trimmed:
                missing[reason] += poison.least - count
            elif not poison.least <= count <= poison.most:
                span_text = f"{poison.least}" if poison.least == poison.most else f"{poison.least} to {poison.most}"
                check.differs(_unit(topic), time, f"{span_text} refused as {reason}", f"{count}")
        for (topic, reason), count in refused_counts.items():
            row = next(row for row in rows if (row["topic"], row["reason"]) == (topic, reason))
            check.differs(_unit(topic), row["received_at"], "nothing refused", f"{count} as {reason}: {row['detail']}")
        if missing:
            self._check_trimmed(check, missing)
        return check

    def _check_trimmed(self, check: Check, missing: Counter[str]) -> None:
        """Note missing messages as unclear, unless the event log counts them as dropped from the quarantine."""
        dropped = self._gateway.trimmed(self._began)
        for reason, count in sorted(missing.items()):
            check.facts[f"{reason}, dropped since for lack of room"] += min(count, dropped.get(reason, 0))
            if count > dropped.get(reason, 0):
                check.unclear.append(
                    f"{count:,} messages refused as {reason} are not in quarantine; it was trimmed meanwhile, of "
                    f"{dropped.get(reason, 0):,} with this reason; set GATEWAY_QUARANTINE_MAX_MESSAGES higher"
                )


def _unit(topic: str) -> str:
    parts = topic.split("/")
    return "/".join(parts[2:4]) if len(parts) > 4 else topic


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
