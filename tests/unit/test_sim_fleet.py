"""The same seed gives the same bytes whatever else runs; live, readings come when due and faults are written down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from device_sim import cli
from device_sim.errors import SimError
from device_sim.faults import FaultBook, parse_plan
from device_sim.fleet import Pace, build, rounds
from device_sim.link import QUEUE, Broker, Counts
from device_sim.live import Clock, LiveFleet
from device_sim.times import SECOND, parse_duration, parse_moment
from device_sim.truth import Truth
from device_sim.units import Unit, choose, find, parse_unit, read_units

UNITS = Path(__file__).parents[2] / "gateway/demo/data/units.csv"
PUMP = "hp-90/HP90-23-001256"
WINTER = ["--start", "2026-01-15T00:00:00Z"]


def dumped(tmp_path, *options):
    target = tmp_path / "dump"
    common = ["--units", str(UNITS), *WINTER, "--dump", str(target)]
    assert cli.main(["fleet", *common, *options]) == 0
    return target.read_bytes().splitlines()


def test_the_same_seed_gives_the_same_bytes_in_every_process(tmp_path):
    here = b"\n".join(dumped(tmp_path, "--duration", "7s", "--fault", f"{PUMP} pressure-loss at=2s for=3s")) + b"\n"
    command = [sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"]
    command += ["fleet", "--units", str(UNITS), *WINTER, "--dump", "-", "--duration", "7s"]
    command += ["--fault", f"{PUMP} pressure-loss at=2s for=3s"]
    for salt in ("1", "2"):
        there = subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": salt})
        assert here == there.stdout


def test_another_seed_gives_other_values(tmp_path):
    assert dumped(tmp_path, "--duration", "5s") != dumped(tmp_path, "--duration", "5s", "--seed", "2")


def test_a_units_series_does_not_depend_on_the_other_units(tmp_path):
    everyone = dumped(tmp_path, "--duration", "1m")
    alone = dumped(tmp_path, "--duration", "1m", "--only", PUMP)
    assert [line for line in everyone if f"/{PUMP}/".encode() in line] == alone
    assert len(alone) == 12


def test_values_at_a_time_do_not_depend_on_how_often_they_are_asked_for(tmp_path):
    often = dumped(tmp_path, "--duration", "1s", "--every", "1ms", "--only", PUMP)
    seldom = dumped(tmp_path, "--duration", "1s", "--every", "1s", "--only", PUMP)
    assert set(seldom) < set(often)


def test_a_fleet_spreads_its_readings_over_the_interval():
    devices = build(read_units(UNITS), seed=1)
    turns = [elapsed for (elapsed, _), _ in zip(rounds(devices, 5_000), devices, strict=False)]
    assert sorted(turns) == turns
    busiest = max(sum(start <= turn < start + 100 for turn in turns) for start in range(0, 5_000, 100))
    assert busiest <= 15  # of 200; four would be perfectly even


def test_messages_have_the_gateways_format(tmp_path):
    topic, _, payload = dumped(tmp_path, "--duration", "5s", "--only", PUMP)[0].partition(b" ")
    message = json.loads(payload)
    assert topic == b"m2m/v1/hp-90/HP90-23-001256/telemetry"
    assert {"ts", "values"} == set(message)
    assert 0 <= message["ts"] - parse_moment("2026-01-15T00:00:00Z") // 1_000 < 5_000
    bare = dumped(tmp_path, "--duration", "5s", "--only", PUMP, "--no-ts")[0].partition(b" ")[2]
    assert {"values": message["values"]} == json.loads(bare)


def test_a_silent_unit_sends_nothing_and_then_goes_on(tmp_path):
    lines = dumped(
        tmp_path, "--duration", "30s", "--every", "1s", "--only", PUMP, "--fault", f"{PUMP} silence at=10s for=5s"
    )
    start = parse_moment("2026-01-15T00:00:00Z") // 1_000
    seconds = {(json.loads(line.partition(b" ")[2])["ts"] - start) // 1_000 for line in lines}
    assert seconds == set(range(30)) - set(range(10, 15))


class BreakingLink:
    """A link, and the clock it moves: the test's time passes only while the fleet waits."""

    def __init__(self):
        self.now, self.sent, self.away_until = 1_000.0, [], 0.0
        self.standing = []
        self.counts, self.broker, self.connected = (
            Counts(),
            Broker("test", 1, tls=False, user=None, password=None),
            True,
        )
        self.on_pump = lambda: None

    @property
    def outstanding(self):
        return QUEUE if self.now < self.away_until else 0

    def pump(self, timeout):
        self.now += timeout
        self.on_pump()

    def publish(self, topic, payload):
        self.counts.published += 1
        self.sent.append((self.now, topic, json.loads(payload)))

    def retain(self, topic, payload):
        self.standing.append((topic, json.loads(payload)))

    def drain(self, timeout):
        return 0


def run_live(link, pace, plans=(), truth=None, units=None):
    devices = build(units or [parse_unit(PUMP)], seed=1)
    said = []
    with Truth(truth) as record:
        book = FaultBook(1_700_000_000_000, record.record)
        for plan in plans:
            book.plan(parse_plan(plan))
        clock = Clock(wall=lambda: 1_700_000_000 + link.now - 1_000, monotonic=lambda: link.now)
        fleet = LiveFleet(
            devices=devices, pace=pace, link=link, book=book, clock=clock, stopping=lambda: False, say=said.append,
            quiet=False,
        )  # fmt: skip
        assert fleet.run(None) == 0
    return said


def test_live_readings_carry_the_wall_clock_while_model_time_runs_faster():
    link = BreakingLink()
    midnight = parse_moment("2026-07-01T00:00:00Z") // 1_000
    run_live(link, Pace(midnight, every=1_000, speed=3_600, duration=24_000))
    assert len(link.sent) == 24
    assert all(abs(message["ts"] / 1_000 - 1_700_000_000 - (at - 1_000)) < 0.002 for at, _, message in link.sent)
    outdoor = [message["values"]["outdoor_temp_c"] for _, _, message in link.sent]
    assert max(outdoor) - min(outdoor) > 4  # a summer day went by in 24 seconds


def test_each_unit_says_that_it_is_online_with_its_firmware_and_at_the_end_that_it_is_not():
    link = BreakingLink()
    with_firmware, without = Unit("hp-90", "A", "2.1.0"), Unit("ac-24", "B")
    run_live(link, Pace(0, every=1_000, duration=2_000), units=(with_firmware, without))
    assert link.standing == [
        ("m2m/v1/hp-90/A/status", {"state": "online", "firmware": "2.1.0"}),
        ("m2m/v1/ac-24/B/status", {"state": "online"}),
        ("m2m/v1/hp-90/A/status", {"state": "offline"}),
        ("m2m/v1/ac-24/B/status", {"state": "offline"}),
    ]
    assert link.counts.published == 4, "statuses are not counted among the readings"


def test_a_units_file_may_name_the_firmware(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("product,serial,firmware\nhp-90,A, 2.1.0\nhp-90,B,\nhp-90,C\n")
    assert [unit.firmware for unit in read_units(path)] == ["2.1.0", None, None]
    assert read_units(path)[0] == parse_unit("hp-90/A"), "a unit is who it is, whatever runs on it"


def test_the_ground_truth_says_when_each_fault_began_and_ended(tmp_path):
    plans = [f"{PUMP} pressure-loss at=2s for=3s", f"{PUMP} overheating at=6s", f"{PUMP} silence at=1h"]
    said = run_live(BreakingLink(), Pace(0, every=1_000, duration=12_000), plans, tmp_path / "truth.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert [line["to"] is None for line in lines] == [True, False, True, False]
    last = {line["id"]: line for line in lines}.values()
    assert [(line["unit"], line["fault"], line["from"], line["to"]) for line in last] == [
        (PUMP, "pressure-loss", "2023-11-14T22:13:22.000Z", "2023-11-14T22:13:25.000Z"),
        (PUMP, "overheating", "2023-11-14T22:13:26.000Z", "2023-11-14T22:13:32.000Z"),
    ]
    assert said[2].endswith("faults on: hp-90/HP90-23-001256 overheating since 2023-11-14T22:13:26.000Z")
    assert said[-1] == "stopped: published 12, acknowledged 0"


def test_a_full_queue_makes_the_fleet_wait_and_skip_instead_of_forgetting_what_it_took():
    link = BreakingLink()
    link.away_until = link.now + 30
    said = run_live(link, Pace(0, every=1_000, duration=60_000))
    assert len(link.sent) in (30, 31)
    assert f"skipped {60 - len(link.sent)}" in said[-1]


def test_a_fault_that_is_on_already_is_refused():
    book = FaultBook(0, lambda *_: None)
    book.plan(parse_plan(f"{PUMP} pressure-loss at=10s for=10s"))
    book.plan(parse_plan(f"{PUMP} pressure-loss at=20s"))
    for overlapping in ("at=5s", "at=15s for=1s", "at=5s for=6s", "at=30s"):
        with pytest.raises(SimError, match="has pressure-loss already"):
            book.plan(parse_plan(f"{PUMP} pressure-loss {overlapping}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{PUMP} flying", "no fault 'flying' for hp-90; there are: pressure-loss, overheating, silence"),
        ("HP90-23-001256 silence", "is not a unit; write product/serial"),
        (f"{PUMP}", "cannot read the fault"),
        (f"{PUMP} silence after=3s", "cannot read the fault"),
        (f"{PUMP} silence at=soon", "'soon' is not a duration; write it like 30s"),
        ("", "cannot read the fault"),
    ],
)
def test_a_fault_that_cannot_be_read_says_why(text, message):
    with pytest.raises(SimError, match=message):
        parse_plan(text)


def test_an_unknown_unit_is_answered_with_the_closest_names():
    units = read_units(UNITS)
    assert find(units, PUMP) == Unit("hp-90", "HP90-23-001256")
    for wrong in ("HP90-23-001256", "hp-90/HP90-23-001265", "ac-24/HP90-23-001256"):
        with pytest.raises(SimError, match=f"did you mean {PUMP}"):
            find(units, wrong)


def test_units_are_chosen_by_name_or_pattern():
    units = read_units(UNITS)
    assert len(choose(units, [])) == 200
    assert len(choose(units, ["ac-24/*", PUMP])) == 61
    with pytest.raises(SimError, match="no unit 'hp-91/\\*' in this fleet"):
        choose(units, ["hp-91/*"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("serial\nA\n", "must name the columns product and serial"),
        ("product,serial\nhp-90,A\nhp-90,\n", "line 3: 'hp-90/' is not a unit"),
        ("product,serial\nhp-90,A\nhp-90,A/B\n", "line 3: 'hp-90/A/B' is not a unit"),
        ("product,serial\nhp-90,A\nac-24,A\nhp-90,A\n", "line 4: hp-90/A stands in line 2 already"),
        ("product,serial\n", "holds no units"),
    ],
)
def test_a_units_file_that_cannot_be_used_says_where(tmp_path, text, message):
    path = tmp_path / "units.csv"
    path.write_text("\ufeff" + text, encoding="utf-8")
    with pytest.raises(SimError, match=message):
        read_units(path)


def test_a_product_without_a_model_is_named():
    with pytest.raises(SimError, match="no model for product 'tv-1'; there are: hp-90, rm-500, ac-24"):
        build([Unit("tv-1", "A")], seed=1)


def test_errors_are_one_line_and_exit_with_1(capsys, tmp_path):
    assert cli.main(["fleet", "--units", str(tmp_path / "none.csv")]) == 1
    assert cli.main(["fleet", "--units", str(UNITS), "--dump", "-"]) == 1
    assert cli.main(["fault", "--control", str(tmp_path / "none.sock"), "--list"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["device-sim"] * 3
    assert "No such file" in lines[0]
    assert "--dump needs --duration" in lines[1]
    assert "no fleet listens on" in lines[2]


@pytest.mark.parametrize("command", ["fleet", "fault", "update", "replay"])
def test_every_command_explains_itself_with_examples(capsys, command):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"examples:\n  device-sim {command} " in capsys.readouterr().out


def test_the_faults_are_listed_with_product_and_effect(capsys):
    assert cli.main(["faults"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split(maxsplit=2) == [
        "hp-90",
        "pressure-loss",
        "water pressure falls to about 0.8 bar (alarm < 1.0)",
    ]
    assert lines[-1].split(maxsplit=1) == ["all", "silence        sends nothing while it lasts"]


@pytest.mark.parametrize(
    ("text", "span"), [("30s", 30 * SECOND), ("1h30m", 5_400_000), ("500ms", 500), ("1.5s", 1_500)]
)
def test_durations_are_read_as_people_write_them(text, span):
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "30", "s", "5 m", "-5s", "5s3"])
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(SimError, match="is not a duration"):
        parse_duration(text)


def test_a_dump_into_a_closed_pipe_ends_quietly():
    command = [sys.executable, "-c", "import sys; from device_sim.cli import main; sys.exit(main())"]
    command += ["fleet", "--units", str(UNITS), "--duration", "1h", "--dump", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"m2m/v1/")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(10) == 0


def test_pace_is_exact_for_whole_speeds():
    pace = Pace(start=1_000, every=1, speed=60)
    assert pace.model_time(17) == 1_000 + 17 * 60
