"""More than ingest can take, then back: memory stays bounded, what the broker kept is stored, what it dropped is told.

Ingest gets batches of five messages here. That makes it so slow that three and ten times its rate fit on the same
machine; the road is the same.
"""

import time
from pathlib import Path

from tests.dsl.ports import free_port
from tests.dsl.reconciled import Fleet, differences, reconcile
from tests.dsl.roles import ROLES, metrics
from tests.dsl.site import Site, running_site
from tests.dsl.wait import until

SCENARIO = str(Path(__file__).parents[1] / "data" / "overload.yaml")
PRELOADED, CALM, STORM = ("ac-24/*", 60), ("hp-90/*", 70), ("rm-500/*", 70)
"""Units that play, and how many these are: each run has its own, so that each can be judged by itself."""
CALM_PER_S = 140
BATCH = 5
KEPT = 20_000
CONNECTED, STORED = ("gateway_broker_connected",), ("gateway_messages_stored_total",)
DROPPED = ("gateway_broker_dropped_messages",)
GROWTH = 2.0
"""Times the memory of a calm run. A role holds what is in the window of 5,000 messages, and no backlog."""


def test_three_times_what_ingest_can_take_and_back_loses_nothing(tmp_path, capsys, print_figure):
    port = free_port()
    with running_site(tmp_path, batch_max_messages=BATCH, metrics_port_ingest=port) as site:
        sustained, preloaded = sustainable(site, port)
        calm = start_fleet(site, "calm", CALM, CALM_PER_S, seconds=40)
        time.sleep(10)
        before = peak_memory(site)
        storm = start_fleet(site, "storm", STORM, 4 * sustained, seconds=12)
        taken, offered = acknowledged_rate(storm)
        left = taken - stored(port)
        expected = taken + acknowledged_rate(calm)[0]
        ended = time.monotonic()
        until(lambda: stored(port) >= expected, within=300, every=0.5, what="the backlog is drained")
        drained = time.monotonic() - ended
        after = peak_memory(site)
        assert site.roles.ended() == []
        site.roles.wait_until_ready()
        for fleet in (preloaded, calm, storm):
            code, result, told = reconcile(fleet.folder, site.roles.http_port, capsys, "--wait", "60s")
            assert (code, differences(result), told) == (0, [], "")
        assert stored(port) == expected, "nothing twice"
    print_figure(
        f"sustained {sustained:.0f}/s, offered {offered / sustained:.1f} times that; of {taken} messages {left} were"
        f" held when it ended; drained {drained:.0f} s after the calm run; MB before, peak: {memory_mb(before, after)}"
    )
    assert offered > 3 * sustained, "it is no proof unless so much was offered"
    assert left > 0, "it is no proof unless a backlog was there"
    assert all(after[role] < GROWTH * before[role] for role in ROLES)


def test_what_the_broker_drops_at_ten_times_the_rate_is_told_and_everything_lives(tmp_path, print_figure):
    """As deployed it drops nothing, and takes the memory; here its operator set a limit."""
    port = free_port()
    settings = {"batch_max_messages": BATCH, "metrics_port_ingest": port, "broker_watch_every": "1s"}
    with running_site(tmp_path, broker={"max_queued_messages": str(KEPT)}, **settings) as site:
        sustained, _ = sustainable(site, port)
        until(lambda: seen(port).get(DROPPED) == 0, every=0.5)
        before = peak_memory(site)
        taken, offered = acknowledged_rate(start_fleet(site, "storm", STORM, 13 * sustained, seconds=10))
        until(lambda: seen(port)[DROPPED] > 0, within=60, every=0.5, what="the broker says what it dropped")
        until(
            lambda: stored(port) == taken - seen(port)[DROPPED],
            within=300,
            every=0.5,
            what="what it kept is stored, and no more",
        )
        dropped = seen(port)[DROPPED]
        after = peak_memory(site)
        assert site.roles.ended() == []
        site.roles.wait_until_ready()
        assert stored(port) == taken - dropped, "nothing twice"
    print_figure(
        f"sustained {sustained:.0f}/s, offered {offered / sustained:.1f} times that; of {taken} messages dropped"
        f" {dropped:.0f}, stored {taken - dropped:.0f}; MB before and peak: {memory_mb(before, after)}"
    )
    assert offered > 10 * sustained, "it is no proof unless so much was offered"
    assert "WARNING gateway.m2m.watch: The broker dropped" in site.roles.log("ingest")
    assert all(after[role] < GROWTH * before[role] for role in ROLES)


def sustainable(site: Site, port: int) -> tuple[float, Fleet]:
    """How many messages a second ingest takes from a broker that holds plenty, and whose they were.

    Ingest is another process afterwards, with no memory of it.
    """
    assert site.roles.stop("ingest") == 0
    preloaded = start_fleet(site, "preloaded", PRELOADED, 3_000, seconds=4)
    taken, _ = acknowledged_rate(preloaded)
    site.roles.start("ingest")
    first = until(lambda: stored(port), every=0.1)
    began = time.monotonic()
    until(lambda: stored(port) == taken, within=120, every=0.1)
    sustained = (taken - first) / (time.monotonic() - began)
    assert site.roles.stop("ingest") == 0
    site.roles.start("ingest")
    until(lambda: seen(port).get(CONNECTED) == 1, every=0.1)
    return sustained, preloaded


def start_fleet(site: Site, name: str, whose: tuple[str, int], per_s: float, seconds: int) -> Fleet:
    """Begin to publish at that rate."""
    only, units = whose
    return site.fleet(SCENARIO, name, "--only", only, "--speed", f"{per_s / units:.2f}", "--duration", f"{seconds}s")


def acknowledged_rate(fleet: Fleet) -> tuple[int, float]:
    """How many messages the broker acknowledged, and how many a second that was."""
    facts = fleet.finish(within=300)
    taken = facts["counts"]["acknowledged"]
    return taken, taken / facts["elapsed_s"]


def stored(port: int) -> int:
    """How many messages this process of ingest has stored."""
    return int(seen(port).get(STORED, 0))


def seen(port: int) -> dict[tuple[str, ...], float]:
    """Its metrics; none before it serves them."""
    try:
        return metrics(port)
    except OSError:
        return {}


def peak_memory(site: Site) -> dict[str, float]:
    return {role: site.roles.peak_mb(role) for role in ROLES}


def memory_mb(before: dict[str, float], after: dict[str, float]) -> str:
    return ", ".join(f"{role} {before[role]:.0f} {after[role]:.0f}" for role in ROLES)
