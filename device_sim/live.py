"""Runs a fleet in real time: publishes readings when they are due, applies faults and prints status lines."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from device_sim.control import ControlSocket, Request
from device_sim.errors import SimError
from device_sim.faults import FaultBook, Plan, fault_of
from device_sim.fleet import Device, Pace, payload, rounds, status
from device_sim.link import QUEUE, Link, Say
from device_sim.times import SECOND, format_duration, parse_duration
from device_sim.units import find

FLUSH_S = 5.0
_SLICE_S = 0.05  # the longest wait until faults, commands and signals are checked again
_STATUS = 5 * SECOND
_BURST = 50  # the most readings in a row before commands and signals are checked, also when the fleet is late


@dataclass(frozen=True, slots=True)
class Clock:
    """Clocks as arguments: wall time for time stamps, monotonic time for due times, both in seconds."""

    wall: Callable[[], float]
    monotonic: Callable[[], float]


class LiveFleet:
    """One run of a fleet against a broker."""

    def __init__(
        self,
        *,
        devices: Sequence[Device],
        pace: Pace,
        link: Link,
        book: FaultBook,
        clock: Clock,
        stopping: Callable[[], bool],
        say: Say,
        quiet: bool,
    ) -> None:
        self._devices = devices
        self._pace = pace
        self._link = link
        self._book = book
        self._clock = clock
        self._stopping = stopping
        self._say = say
        self._quiet = quiet
        self._started_at = clock.monotonic()
        self._control: ControlSocket | None = None
        self._status_due, self._status_published = _STATUS, 0
        self._skipped = 0

    def run(self, control: Path | None) -> int:
        """Publish until stopped or the duration is over. Returns the number of messages never acknowledged."""
        with ExitStack() as stack:
            if control is not None:
                self._control = stack.enter_context(ControlSocket(control, self._answer))
            for device in self._devices:
                self._link.retain(device.unit.status_topic, status("online", device.unit.firmware))
            every = format_duration(self._pace.every)
            self._say(f"{len(self._devices):,} units publish every {every} to {self._link.broker}; stop with Ctrl-C")
            for number, (due, device) in enumerate(rounds(self._devices, self._pace.every)):
                if number % _BURST == 0:
                    self._turn(0.0)
                if not self._wait_until(due):
                    break
                self._publish(due, device)
        self._book.close(self._elapsed())
        for device in self._devices:
            self._link.retain(device.unit.status_topic, status("offline"))
        unacknowledged = self._link.drain(FLUSH_S)
        self._say(f"stopped: {self._totals()}" + (f", {unacknowledged:,} never acknowledged" if unacknowledged else ""))
        return unacknowledged

    def _elapsed(self) -> int:
        return round((self._clock.monotonic() - self._started_at) * SECOND)

    def _wait_until(self, due: int) -> bool:
        """Wait until `due`, and until the queue has room. Returns False when the run is over."""
        end = self._pace.duration
        target = due if end is None else min(due, end)
        while not self._stopping():
            remaining = target - self._elapsed()
            if remaining <= 0 and (target == end or self._link.outstanding < QUEUE):
                return target != end
            self._turn(min(remaining / SECOND, _SLICE_S) if remaining > 0 else _SLICE_S)
        return False

    def _turn(self, timeout: float) -> None:
        """Handle the broker's answers, the faults, the commands and the status line."""
        self._link.pump(timeout)
        now = self._elapsed()
        self._book.advance(now)
        if self._control is not None:
            self._control.poll()
        if now >= self._status_due:
            if not self._quiet:
                self._say(self._status(now))
            self._status_due, self._status_published = now + _STATUS, self._link.counts.published

    def _publish(self, due: int, device: Device) -> None:
        now = self._elapsed()
        if now - due >= self._pace.every:
            self._skipped += (
                1  # too late (the machine slept, the broker was away too long): the next one is due already
            )
            return
        values = device.values(self._pace.model_time(now), self._book.pulls(device.unit, now))
        if values is not None:
            ts = int(self._clock.wall() * SECOND) if self._pace.with_ts else None
            self._link.publish(device.unit.topic, payload(values, ts))

    def _status(self, now: int) -> str:
        span = (now - self._status_due + _STATUS) / SECOND
        rate = (self._link.counts.published - self._status_published) / span
        active = self._book.active(now)
        faults = f"; faults on: {', '.join(active)}" if active else ""
        away = "" if self._link.connected else "; the broker is away"
        return f"{self._totals()}, {rate:,.0f}/s{away}{faults}"

    def _totals(self) -> str:
        counts = self._link.counts
        text = f"published {counts.published:,}, acknowledged {counts.acknowledged:,}"
        text += f", refused {counts.refused:,}" if counts.refused else ""
        return text + (f", skipped {self._skipped:,}" if self._skipped else "")

    def _answer(self, request: Request) -> str:
        """Handle a request of `device-sim fault` or `device-sim update`: list, begin, end, or another firmware."""
        now = self._elapsed()
        self._book.advance(now)
        if request.get("do") == "list":
            return "\n".join(self._book.active(now)) or "no fault is on"
        unit = find([device.unit for device in self._devices], request.get("unit") or "")
        if request.get("do") == "update":
            firmware = request.get("firmware") or ""
            self._link.retain(unit.status_topic, status("online", firmware))
            return f"{unit}: reports firmware {firmware}"
        name, lasts = request.get("fault"), request.get("for")
        if request.get("do") == "end":
            names = self._book.end(unit, now, name)
            if not names:
                raise SimError(f"{unit} has no {name or 'fault'} now")
            return f"{unit}: {', '.join(names)} ended"
        fault = fault_of(unit.product, name or "")
        self._book.plan(Plan(unit, fault, now, parse_duration(lasts) if lasts else None))
        self._book.advance(now)
        return f"{unit}: {fault.effect}, " + (f"for {lasts}" if lasts else "until it is ended")
