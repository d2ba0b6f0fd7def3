"""Faults under load, judged by the reconciler: what was acknowledged is stored, judged and told, and nothing twice."""

import random
import time
from collections import Counter
from pathlib import Path

from tests.dsl.gaps import Gaps
from tests.dsl.postgres import kill_server
from tests.dsl.reconciled import Fleet, differences, found, reconcile
from tests.dsl.roles import ROLES
from tests.dsl.site import Site, running_site

SCENARIO = str(Path(__file__).parents[1] / "data" / "under-fire.yaml")
SPEED = ("--speed", "2")
"""The demo's 200 units report 400 times a second."""
KILLS = 50
PACE_S = 3.0


def test_fifty_kills_of_any_process_lose_nothing_and_do_nothing_twice(tmp_path, capsys, seed, say):
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
    say(f"killed {dict(killed)}, ended by themselves {ended}; {told}; longest gap {gaps.longest_s:.1f} s")
    assert "The database went away" in site.roles.log("ingest")


def agreed(site: Site, fleet: Fleet, capsys) -> str:
    """The run ends, and all of it agrees with what the gateway made of it; answers its figures."""
    facts = fleet.finish(within=600)
    ended = time.monotonic()
    site.roles.wait_until_ready(within=120)
    code, result, told = reconcile(fleet.folder, site.roles.http_port, capsys, "--wait", "120s")
    assert (code, differences(result), told) == (0, [], "")
    assert (result["precision"], result["recall"]) == (1.0, 1.0)
    checks = found(result)
    assert checks["readings"]["expected"] <= checks["readings"]["found"]
    assert 0 < checks["poison"]["expected"] <= checks["poison"]["found"]
    mails = [str(mail["Message-ID"]) for mail in site.mail.mails]
    assert len(mails) == len(set(mails)) > 0
    return (
        f"{facts['counts']['acknowledged']} messages in {facts['elapsed_s']:.0f} s, {checks['readings']['found']}"
        f" readings, {checks['poison']['found']} refused, {checks['alarms']['found']} alarms, {len(mails)} mails;"
        f" agreed {time.monotonic() - ended:.0f} s after"
    )
