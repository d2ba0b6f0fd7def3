"""How fast the ingest role stores and judges, compared with a subscriber that only counts, in the same run.

Both read a backlog that the broker holds for their durable sessions, so that the publisher does not limit them. Then
messages arrive at a moderate rate through a relay, which records when each is acknowledged.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench import history, usage
from bench.backlog import Backlog, serial
from bench.counter import SLOWEST_PER_S, count
from bench.relay import relay
from bench.roles import running
from bench.setup import (
    VALUES,
    WAIT_S,
    WINDOW,
    Broker,
    database,
    left_in_session,
    make_fleet,
    mosquitto,
    open_session,
    percentiles,
    publish,
    publish_paced,
)
from gateway.core.errors import GatewayError, Unavailable
from gateway.store import Connection, connect

GATEWAY = "bench-gateway"
COUNTERS = ("bench-counter-1", "bench-counter-2")
"""One counts before and one after the gateway runs, so that a machine that slows down favours neither side."""

_STORED = """
SELECT count(*) AS moments,
       count(DISTINCT number) AS numbers,
       count(DISTINCT number) FILTER (WHERE parts = %s) AS whole,
       extract(epoch FROM min(first_at))::float8 AS first_at
  FROM (SELECT count(*) AS parts,
               min(t.received_at) AS first_at,
               max(t.value) FILTER (WHERE m.name = 'number') AS number
          FROM (SELECT unit_id, metric_id, time, value, received_at FROM telemetry
                UNION ALL
                SELECT unit_id, metric_id, time, value, received_at FROM telemetry_waiting) AS t
          JOIN metric m ON m.id = t.metric_id
         WHERE t.received_at >= to_timestamp(%s)
         GROUP BY t.unit_id, t.time) AS moment
"""
_LAST = """
SELECT 1 FROM latest l JOIN unit u ON u.id = l.unit_id JOIN metric m ON m.id = l.metric_id
 WHERE u.serial = %s AND m.name = 'number' AND l.value = %s
"""


@dataclass(frozen=True, slots=True)
class Result:
    """The printed result; rates are messages a second from the first received to the last counted or committed one."""

    messages_per_s: float
    counting_subscriber_per_s: float
    ratio: float
    lost: int
    duplicated: int
    unacknowledged: int
    load: str
    """`preloaded`: the broker had every message before the first was read."""
    cpu_s_per_message: dict[str, float]
    counting_cpu_s_per_message: dict[str, float]
    memory_mb: dict[str, float]
    publish_to_ack: dict[str, float]
    """The time from when a message is due to be published until our PUBACK passes the relay, at `per_s`.

    The first message of each unit does not count, since the gateway looks the unit up then.
    """
    messages: int
    values_per_message: int
    units: int
    rules: int
    alarms: int
    alarms_expected: int
    history_rows: int
    """The number of stored readings of earlier days."""
    cpus: int | None
    load_average: float
    """The load average of the last minute at the start: the load by other programs."""


@dataclass(frozen=True, slots=True)
class IngestRun:
    """The gateway's run: CPU time and memory by process, and CPU time of the gateway's two threads."""

    last_at: float
    cpu_s: dict[str, float]
    memory_mb: dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark. Exits with 1 when it cannot run, and when messages were lost or stored twice."""
    parser = argparse.ArgumentParser(prog="bench.ingest", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--messages", type=int, default=100_000, help="each of three values (default %(default)s)")
    parser.add_argument("--rules", type=int, default=50, help="active rules (default %(default)s)")
    parser.add_argument("--units", type=int, default=5_000, help="units that send (default %(default)s)")
    parser.add_argument("--live-messages", type=int, default=10_000, help="of the second part (default %(default)s)")
    parser.add_argument("--live-rate", type=int, default=2_000, help="of them a second (default %(default)s)")
    history.add_arguments(parser)
    options = parser.parse_args(arguments)
    history_size = history.read_size(options, parser)
    if (
        options.messages < 2
        or options.units < 1
        or options.rules < 0
        or options.live_messages < 1
        or options.live_rate < 1
    ):
        parser.error("two messages, one unit and one live message are the least")
    try:
        result = measure(
            options.messages, options.rules, options.units, options.live_messages, options.live_rate, history_size
        )
    except GatewayError as error:
        sys.exit(f"bench: {error}")
    if options.json:
        print(json.dumps(asdict(result)))
    else:
        print("\n".join(f"{name:28} {value}" for name, value in asdict(result).items()))
    is_sound = not (
        result.lost or result.duplicated or result.unacknowledged or result.alarms != result.alarms_expected
    )
    sys.exit(0 if is_sound else 1)


def measure(
    messages: int, rules: int, units: int, live_messages: int, live_per_s: int, history_size: history.HistorySize
) -> Result:
    """Set everything up, preload the sessions, let the consumers read one after the other; then the live part."""
    load_average = os.getloadavg()[0]
    begun = time.time()
    backlog = Backlog(messages, units, start_ms=round(begun * 1000) - 600_000, history_days=history_size.days)
    # The relay identifies messages by number, so none of these is sent twice.
    live = replace(backlog, messages=messages + live_messages, first=messages, again=False)
    with tempfile.TemporaryDirectory() as name, mosquitto(folder := Path(name)) as broker, database() as url:
        _say(f"{units} units, {rules} rules")
        make_fleet(url, folder, units, rules)
        history_rows = history.fill(url, units, history_size)
        for client_id in (GATEWAY, *COUNTERS):
            open_session(client_id, broker.port)
        _say(f"publishing {messages} messages")
        publish(backlog, broker.port)
        _say("counting, ingesting, counting")
        count_before = count(COUNTERS[0], broker, messages)
        with connect(url, "bench") as db:
            drained = drain(url, broker, folder, db, backlog)
            stored_first = _one(db, _STORED, [VALUES, begun])
            unacknowledged = left_in_session(GATEWAY, broker.port)
            count_after = count(COUNTERS[1], broker, messages)
            _say(f"publishing {live_per_s} messages a second")
            delays = watch_acknowledgements(url, broker, folder, live, live_per_s)
            unacknowledged += left_in_session(GATEWAY, broker.port)
            stored = _one(db, _STORED, [VALUES, begun])
            alarms = _one(db, "SELECT count(*) AS n FROM alarm")["n"]
    steady_delays = [delay for number, delay in delays.items() if number >= live.first + units]
    if not steady_delays:
        raise Unavailable(f"Of {live_messages} live messages, none was acknowledged after each unit's first.")
    committed = stored_first["whole"] + messages - backlog.different()
    rate = committed / (drained.last_at - stored_first["first_at"]) if stored_first["whole"] else 0.0
    counting = 2 * messages / (count_before.seconds + count_after.seconds)
    counting_cpu_s = {
        "subscriber": count_before.cpu_s + count_after.cpu_s,
        "broker": count_before.broker_cpu_s + count_after.broker_cpu_s,
    }
    return Result(
        messages_per_s=round(rate, 1),
        counting_subscriber_per_s=round(counting, 1),
        ratio=round(rate / counting, 3),
        lost=backlog.different() + live.different() - stored["whole"],
        duplicated=stored["moments"] - stored["numbers"],
        unacknowledged=unacknowledged + live_messages - len(delays),
        load="preloaded",
        cpu_s_per_message={name: round(cpu_s / messages, 8) for name, cpu_s in drained.cpu_s.items()},
        counting_cpu_s_per_message={name: round(cpu_s / messages / 2, 8) for name, cpu_s in counting_cpu_s.items()},
        memory_mb={name: round(size, 1) for name, size in drained.memory_mb.items()},
        publish_to_ack=percentiles(steady_delays) | {"messages": len(steady_delays), "per_s": live_per_s},
        messages=messages,
        values_per_message=VALUES,
        units=units,
        rules=rules,
        alarms=alarms,
        alarms_expected=backlog.alarms(rules) + live.alarms(rules),
        history_rows=history_rows,
        cpus=os.cpu_count(),
        load_average=round(load_average, 2),
    )


def drain(url: str, broker: Broker, folder: Path, db: Connection, backlog: Backlog) -> IngestRun:
    """Run the ingest role until its last message is committed. Returns the time, and the cost since it connected."""
    server = usage.postmaster(db)
    last_number = backlog.newest()
    with running("ingest", folder, **_settings(url, broker.port)) as role:

        def cpu_s() -> dict[str, float]:
            total, writer = usage.cpu_s(role.pid), usage.main_thread_cpu_s(role.pid)
            return {
                "gateway": total,
                "gateway_reader": total - writer,
                "gateway_writer": writer,
                "broker": usage.cpu_s(broker.pid),
                "database": usage.family_cpu_s(server),
            }

        role.wait_until_connected()
        cpu_before = cpu_s()
        role.wait(
            lambda: db.execute(_LAST, [serial(last_number % backlog.units), last_number]).fetchone() is not None,
            WAIT_S + backlog.messages / SLOWEST_PER_S,
            pause=0.01,
        )  # a message that is not committed by then counts as lost
        last_at, cpu_after = time.time(), cpu_s()
        pids = {"gateway": role.pid, "broker": broker.pid, "database": server}
        return IngestRun(
            last_at,
            {name: cpu_after[name] - cpu_before[name] for name in cpu_after},
            {name: usage.family_mb(pid) for name, pid in pids.items()},
        )


def watch_acknowledgements(url: str, broker: Broker, folder: Path, live: Backlog, per_s: int) -> dict[int, float]:
    """Seconds from publishing each acknowledged message until its acknowledgement, by number."""
    with relay(broker.port) as ack_relay, running("ingest", folder, **_settings(url, ack_relay.port)) as role:
        role.wait_until_connected()
        due = publish_paced(live, broker.port, per_s)
        role.wait(lambda: len(ack_relay.acknowledged) == len(due), WAIT_S, pause=0.01)
        acknowledged = dict(ack_relay.acknowledged)
    return {number: at - due[number] for number, at in acknowledged.items()}


def _settings(url: str, port: int) -> dict[str, object]:
    return {
        "database_url": url,
        "mqtt_url": f"mqtt://127.0.0.1:{port}",
        "mqtt_client_id": GATEWAY,
        "mqtt_receive_maximum": WINDOW,
    }


def _one(db: Connection, query: str, parameters: Sequence[object] = ()) -> dict[str, Any]:
    row = db.execute(query, parameters).fetchone()
    return dict(row or {})


def _say(text: str) -> None:
    print(f"bench: {text}…", file=sys.stderr)


if __name__ == "__main__":
    main()
