"""`device-sim run`: puts scenario, units, broker and folder together."""

import argparse
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device_sim.errors import SimError
from device_sim.link import Say
from device_sim.live import Clock
from device_sim.run.buffer import BufferRules
from device_sim.run.folder import FORMAT, TRUTH, Folder
from device_sim.run.packets import LEVELS
from device_sim.run.player import Player
from device_sim.run.scenario import Scenario, load, parse, schema_text, shipped, span
from device_sim.run.screen import screen
from device_sim.run.script import Script
from device_sim.run.sending import Sending
from device_sim.run.swarm import Swarm
from device_sim.times import SECOND, format_duration, iso_ms
from device_sim.truth import Truth
from device_sim.units import choose, read_units

_CONNECT_S = 0.05


def run(options: argparse.Namespace, clock: Clock, stopping: Callable[[], bool], say: Say) -> int:
    """Play a scenario; returns 0 when the broker acknowledged every message, and a receipt covers it if it has to."""
    scenario = load(options.scenario)
    overrides = {name: value for name in ("seed", "speed", "limit") if (value := getattr(options, name)) is not None}
    scenario = scenario.model_copy(update=overrides)
    lasts = options.duration or span(scenario.duration)
    units = choose(read_units(options.units), options.only)
    start = int(clock.wall() * SECOND) if options.start is None else options.start // 1_000
    # A faster scenario begins in the past, so that its time ends now at the latest.
    start -= round(lasts * max(scenario.speed - 1, 0))
    script = Script(scenario, units, scenario.seed, start, round(lasts * scenario.speed))
    token = secrets.token_hex(3)
    names = [(f"sim-{token}-{number}", unit) for number, unit in enumerate(script.units)]
    buffer_rules = _buffer_rules(scenario, clock)
    folder_path = options.out or Path("runs") / f"{scenario.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    with Folder(folder_path) as folder:
        player: Player | None = None

        def end_message(sending: Sending) -> None:
            if player is not None:
                player.end_message(sending)

        swarm = Swarm(
            options.mqtt, LEVELS[options.mqtt_version], names, clock.monotonic, end_message, say, buffer_rules
        )
        _require_broker(swarm, options.wait / SECOND, clock, str(options.mqtt))
        began_ms = int(clock.wall() * SECOND)
        facts: dict[str, Any] = {
            "format": FORMAT,
            "scenario": scenario.model_dump(mode="json", by_alias=True),
            "seed": scenario.seed,
            "speed": scenario.speed,
            "duration_ms": lasts,
            "broker": str(options.mqtt),
            "began": iso_ms(began_ms),
            "began_ms": began_ms,
            "ended": None,
            "first_ts": start,
            "boot": buffer_rules and buffer_rules.boot,
            "units": [str(unit) for unit in script.units],
        }
        folder.note(facts)
        say(f"{scenario.name}: {len(script.units):,} units for {format_duration(lasts)} to {options.mqtt}")
        player = Player(script, swarm, folder, clock, scenario.speed, stopping)
        title = f" {scenario.name} · seed {scenario.seed} · {options.mqtt} "
        with screen(title, quiet=options.quiet) as show:
            player.run(show)
        swarm.close()
        _write_truth(folder.path, script, facts, player.elapsed() if stopping() else None)
        account = player.account()
        folder.flush()
        folder.note(facts | {"ended": iso_ms(int(clock.wall() * SECOND)), "stopped": stopping()} | account)
    counts = swarm.counts
    open_count = swarm.outstanding
    print(
        f"{counts.published:,} messages of {len(script.units):,} units, {counts.acknowledged:,} acknowledged"
        + (f", {counts.refused:,} refused" if counts.refused else "")
        + (f", {counts.receipted:,} receipted" if buffer_rules else "")
        + (f", {counts.given_up:,} given up" if counts.given_up else "")
        + (f", {open_count:,} {'still open' if buffer_rules else 'never answered'}" if open_count else "")
        + f", {counts.again:,} sent again; {len(script.expected):,} faults; see {folder.path}"
    )
    return 1 if open_count or counts.refused or counts.given_up or stopping() else 0


def scenarios(_options: argparse.Namespace) -> int:
    """List the scenarios that come with the simulator."""
    for name, text in shipped().items():
        print(f"{name:<22}{parse(text, name).about}")
    return 0


def _buffer_rules(scenario: Scenario, clock: Clock) -> BufferRules | None:
    """Returns how devices keep messages; None without receipts. Each run is a new boot: its devices start empty."""
    if not scenario.receipts:
        return None
    return BufferRules(int(clock.wall() * SECOND), scenario.buffer, span(scenario.resend))


def _require_broker(swarm: Swarm, wait_s: float, clock: Clock, broker: str) -> None:
    """Connect one device before the run begins. Raises SimError when no broker answers."""
    deadline = clock.monotonic() + wait_s
    swarm.up(0)
    while not swarm.counts.connections:
        if clock.monotonic() > deadline:
            raise SimError(f"no MQTT broker answers at {broker} (tried for {format_duration(wait_s * SECOND)})")
        swarm.pump(_CONNECT_S)
    swarm.down(0)
    swarm.begin()


def _write_truth(folder: Path, script: Script, facts: dict[str, Any], stopped_at: int | None) -> None:
    """Write the faults that began; one that a stop cut short is expected as alarm or nothing."""
    with Truth(folder / TRUTH) as truth:
        for item in script.expected:
            if stopped_at is not None and item.starts > stopped_at:
                continue
            is_cut = stopped_at is not None and item.ends > stopped_at
            begin, end = iso_ms(item.begin), iso_ms(item.end)
            since = iso_ms(facts["began_ms"] + round(max(item.starts, 0) / facts["speed"]))
            truth.record(
                f"{item.unit}:{item.fault.name}:{begin}", str(item.unit), item.fault.name, begin, end,
                metric=item.fault.metric, since=since,
                expect="either" if is_cut else item.expect,
            )  # fmt: skip


def print_schema(options: argparse.Namespace) -> int:
    """Write the JSON Schema of scenario files, or say whether the file is out of date."""
    text = schema_text()
    if options.out is None:
        sys.stdout.write(text)
        return 0
    if options.check:
        try:
            is_same = options.out.read_text("utf-8") == text
        except OSError:
            is_same = False
        if not is_same:
            raise SimError(f"{options.out} is out of date; run: device-sim schema --out {options.out}")
        return 0
    options.out.write_text(text, "utf-8")
    return 0
