"""Faults under load, judged by the reconciler: what was acknowledged is stored, judged and told, and nothing twice."""

import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from device_sim.run.folder import read_run
from gateway.store import OperationalError, connect
from tests.dsl.gaps import Gaps
from tests.dsl.postgres import kill_server
from tests.dsl.reconciled import Fleet, checks_by_name, differences, reconcile
from tests.dsl.roles import ROLES
from tests.dsl.site import Site, running_site
from tests.dsl.small_disk import small_disk
from tests.dsl.wait import until

SCENARIO = str(Path(__file__).parents[1] / "data" / "under-fire.yaml")
SPEED = ("--speed", "2")
"""The demo's units report 400 times a second."""
UNITS = 200
KILLS = 50
PACE_S = 2.0
AWAY_S = 60
FULL_S = 20
FULL = "No space left on device"


def test_fifty_kills_of_any_process_lose_nothing_and_do_nothing_twice(tmp_path, capsys, seed, print_figure):
    """kill -9 of a role, or of the database with all its processes; what dies is started again at once."""
    moments = random.Random(seed)
    killed: Counter[str] = Counter()
    ended: list[str] = []
    with running_site(tmp_path) as site, Gaps(site.postgres.url) as gaps:
        fleet = site.fleet(SCENARIO, "kills", *SPEED, "--duration", f"{PACE_S * (KILLS + 10):.0f}s")
        began = time.monotonic()
        for kill in range(KILLS):
            time.sleep(max(0.0, began + (kill + moments.random()) * PACE_S - time.monotonic()))
            ended += site.mend()
            killed[victim := moments.choice((*ROLES, "database"))] += 1
            if victim == "database":
                kill_server(site.postgres)
                time.sleep(moments.uniform(0, 0.5))
                site.postgres.start()
            else:
                site.roles.kill(victim)
                time.sleep(moments.uniform(0, 0.5))
                site.roles.start(victim)
        assert fleet.plays, "it is no proof unless all of it happened under load"
        ended += site.mend()
        told = agreed(site, fleet, capsys)
    print_figure(f"killed {dict(killed)}, ended by themselves {ended}; {told}; longest gap {gaps.longest_s:.1f} s")
    assert "Ingest waits for the database, nothing is acknowledged" in site.roles.log("ingest")


def test_a_database_that_is_away_for_a_minute_loses_nothing_and_doubles_nothing(tmp_path, capsys, print_figure):
    """Every role keeps running, and says that it is not ready; the broker holds what comes."""
    with running_site(tmp_path) as site, Gaps(site.postgres.url) as gaps:
        fleet = site.fleet(SCENARIO, "away", *SPEED, "--duration", f"{AWAY_S + 30}s")
        time.sleep(15)
        site.postgres.stop()
        stopped = time.monotonic()
        until(lambda: site.roles.readiness()[0] == 503)
        time.sleep(max(0.0, stopped + AWAY_S - time.monotonic()))
        assert site.roles.ended() == []
        site.postgres.start()
        assert fleet.plays, "it is no proof unless it came back under load"
        told = agreed(site, fleet, capsys)
        assert site.roles.ended() == []
    print_figure(f"{told}; longest gap {gaps.longest_s:.1f} s")
    assert "Ingest waits for the database, nothing is acknowledged meanwhile" in site.roles.log("ingest")


def test_a_broker_that_is_restarted_loses_nothing_and_doubles_nothing(tmp_path, capsys, print_figure):
    """SIGTERM, with persistence as deployed: once while ingest is connected, once with a backlog for it."""
    with running_site(tmp_path) as site, Gaps(site.postgres.url) as gaps:
        fleet = site.fleet(SCENARIO, "restarted", *SPEED, "--duration", "50s")
        time.sleep(10)
        site.broker.stop()
        waits = {"ready": False, "silent": [], "waiting_for": {"ingest": "the broker"}, "suspended": []}
        until(lambda: site.roles.readiness() == (503, waits))
        site.broker.start()
        site.roles.wait_until_ready()
        site.roles.kill("ingest")
        time.sleep(5)
        site.broker.stop()
        site.broker.start()
        site.roles.start("ingest")
        assert fleet.plays, "it is no proof unless it was restarted under load"
        told = agreed(site, fleet, capsys)
        assert site.roles.ended() == []
    lost = read_run(fleet.folder)["counts"]["lost"]
    print_figure(f"{told}; longest gap {gaps.longest_s:.1f} s; {lost} connections broke")
    assert lost >= 2 * UNITS


def test_a_full_disk_loses_nothing_and_doubles_nothing(tmp_path, capsys, print_figure):
    """First the database refuses to write, then it cannot even write its log and ends; the roles live through both."""
    with (
        small_disk(megabytes=600) as disk,
        running_site(tmp_path, place=disk.path) as site,
        Gaps(site.postgres.url) as gaps,
    ):
        fleet = site.fleet(SCENARIO, "full", *SPEED, "--duration", "60s")
        time.sleep(10)
        disk.fill()
        full = time.monotonic()
        until(lambda: site.roles.readiness()[0] == 503, within=40)
        time.sleep(max(0.0, full + FULL_S - time.monotonic()))
        refused, lasted = site.roles.log("ingest").count(FULL), time.monotonic() - full
        fill_wal(site)
        assert site.roles.ended() == []
        disk.free()
        site.postgres.start()
        assert fleet.plays, "it is no proof unless it came back under load"
        told = agreed(site, fleet, capsys)
        assert site.roles.ended() == []
    print_figure(f"{told}; longest gap {gaps.longest_s:.1f} s; ingest was refused {refused} times in {lasted:.0f} s")
    assert 0 < refused <= lasted + 1, "it tries again now and then, not all the time"


def fill_wal(site: Site) -> None:
    """Let the database write until it needs another file for its log, which ends it on a full disk."""
    while site.postgres.pid is not None:
        with suppress(OperationalError), connect(site.postgres.url) as db:
            db.execute("SELECT pg_logical_emit_message(true, 'proof', 'full')")
            db.execute("SELECT pg_switch_wal()")
        time.sleep(0.1)


def agreed(site: Site, fleet: Fleet, capsys) -> str:
    """The run ends, and all of it agrees with what the gateway made of it. Returns its figures."""
    facts = fleet.finish(within=600)
    ended = time.monotonic()
    site.roles.wait_until_ready(within=120)
    code, result, told = reconcile(fleet.folder, site.roles.http_port, capsys, "--wait", "60s")
    assert (code, differences(result), told) == (0, [], "")
    assert (result["precision"], result["recall"]) == (1.0, 1.0)
    checks = checks_by_name(result)
    assert checks["readings"]["expected"] <= checks["readings"]["found"]
    assert 0 < checks["poison"]["expected"] <= checks["poison"]["found"]
    mails = [str(mail["Message-ID"]) for mail in site.mail.mails]
    assert len(mails) == len(set(mails)) > 0
    return (
        f"{facts['counts']['acknowledged']} messages in {facts['elapsed_s']:.0f} s, {checks['readings']['found']}"
        f" readings, {checks['poison']['found']} refused, {checks['alarms']['found']} alarms, {len(mails)} mails;"
        f" agreed {time.monotonic() - ended:.0f} s after"
    )
