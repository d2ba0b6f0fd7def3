"""How fast a recall reaches the feeds of all owners, beside a bare INSERT ... SELECT of the same rows.

The worker's own turns tell a fleet that SQL makes. While they do, a small recall is approved.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from bench import bare_insert, storm
from bench.campaign import draft_of, make_fleet, publish_recall
from bench.progress import progress_ratio
from bench.setup import database, max_rss_mb
from gateway.config import Settings
from gateway.core.clock import system_clock
from gateway.core.errors import GatewayError
from gateway.roles.worker import Worker
from gateway.store import Connection, Database, connect

_ALL, _PART, _OTHER = "ALL", "PART", "OTHER"
"""The lots: every owner's unit but the last few, a tenth of them, and the last few."""
_PART_OF = 10
_OTHERS = 10
_SETTINGS: dict[str, Any] = {"smtp_url": "smtp://127.0.0.1:1", "fcm_credentials": "/none.json"}
"""Both channels are set up, so that each owner has rows in the outbox; nothing is sent without a sender."""
_TABLES = ("notice", "outbox", "ledger")
_POLL_S = 0.02


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print one JSON object last."""
    parser = argparse.ArgumentParser(prog="bench.fanout", description=__doc__)
    parser.add_argument("--owners", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print the figures only")
    parser.add_argument("--storm", type=int, metavar="ALARMS", help="measure a storm of so many alarms instead")
    given = parser.parse_args(arguments)
    if (given.storm or given.owners) < 2 * _PART_OF:
        sys.exit(f"bench: at least {2 * _PART_OF} owners are needed")
    try:
        with database() as url:
            if given.storm:
                print(json.dumps(storm.measure(url, given.storm, _SETTINGS)))
            else:
                print(json.dumps(measure(url, given.owners, quiet=given.json)))
    except GatewayError as error:
        sys.exit(f"bench: {error}")


def measure(url: str, owners: int, *, quiet: bool = True) -> dict[str, Any]:
    """Returns the figures for so many owners, in a database with this version's schema."""
    with connect(url, "bench") as db, Database(url, "bench") as pool:
        make_fleet(db, owners + _OTHERS, owners + _OTHERS)
        db.execute("UPDATE unit SET lot = CASE WHEN id > %s THEN %s WHEN id %% %s = 0 THEN %s ELSE %s END",
                   [owners, _OTHER, _PART_OF, _PART, _ALL])  # fmt: skip
        db.execute("VACUUM ANALYZE")
        worker = Worker(Settings(**_SETTINGS), pool, system_clock)
        _tell(db, worker, _lots(_PART))
        rss_part = max_rss_mb()
        other = _Other(url, after=owners // 4)
        _say(f"{owners // _PART_OF} owners told first; now all {owners}", quiet=quiet)
        told_s = _tell(db, worker, _lots(_ALL, _PART), other)
        rss_all = max_rss_mb()
        rows = _rows(db)
        looks = progress_ratio(db, _largest(db))
        _say(f"told in {told_s:.1f} s; now the bare INSERT ... SELECT", quiet=quiet)
        bare_s = _bare(db)
    return {
        "owners": owners,
        "told_s": round(told_s, 2),
        "owners_per_s": round(owners / told_s),
        "bare_s": round(bare_s, 2),
        "ratio": round(told_s / bare_s, 2),
        "other_first_s": other.seconds,
        "max_rss_mb": {str(owners // _PART_OF): rss_part, str(owners): rss_all},
        "rows": rows,
        **looks,
    }


class _Other:
    """A small recall that is approved while the large one is told; `seconds` until its first owner is told."""

    def __init__(self, url: str, after: int) -> None:
        self._url, self._after = url, after
        self.seconds: float | None = None

    def watch(self, campaign: int) -> threading.Thread:
        """Wait until enough owners were told of a campaign, then approve."""
        thread = threading.Thread(target=self._run, args=[campaign])
        thread.start()
        return thread

    def _run(self, campaign: int) -> None:
        with connect(self._url, "bench-other") as db:
            while _told(db, campaign) < self._after:
                time.sleep(_POLL_S)
            publish_recall(db, draft_of(_lots(_OTHER)))
            begun = time.monotonic()
            other = _newest(db)
            while not _told(db, other, 1):
                time.sleep(_POLL_S)
            self.seconds = round(time.monotonic() - begun, 2)


def _tell(db: Connection, worker: Worker, audience: dict[str, Any], other: _Other | None = None) -> float:
    """Publish a recall and let the worker turn. Returns the seconds from the approval to the last feed row."""
    publish_recall(db, draft_of(audience))
    begun = time.monotonic()
    campaign = _newest(db)
    thread = other.watch(campaign) if other else None
    due = "SELECT 1 FROM campaign_unit WHERE campaign_id = %s AND due_at <= now() LIMIT 1"
    while db.execute(due, [campaign]).rowcount:
        worker.turn()
    seconds = time.monotonic() - begun
    while worker.turn() or (thread and thread.is_alive()):
        pass
    return seconds


def _bare(db: Connection) -> float:
    """Returns the seconds of an INSERT ... SELECT of what the large recall wrote."""
    campaign = "(SELECT campaign_id FROM notice GROUP BY campaign_id ORDER BY count(*) DESC LIMIT 1)"
    of_notice = f"notice_id IN (SELECT id FROM notice WHERE campaign_id = {campaign})"  # noqa: S608 - ours
    wheres = {"notice": f"campaign_id = {campaign}", "outbox": of_notice, "ledger": f"campaign_id = {campaign}"}
    return bare_insert.seconds(db, wheres)


def _rows(db: Connection) -> dict[str, int]:
    return {table: _count(db, f"SELECT count(*) AS n FROM {table}") for table in _TABLES}  # noqa: S608


def _told(db: Connection, campaign: int, most: int = 2**31) -> int:
    return _count(
        db, "SELECT count(*) AS n FROM (SELECT FROM notice WHERE campaign_id = %s LIMIT %s) t", campaign, most
    )


def _newest(db: Connection) -> int:
    return _count(db, "SELECT max(id) AS n FROM campaign WHERE state = 'published'")


def _largest(db: Connection) -> int:
    return _count(db, "SELECT campaign_id AS n FROM notice GROUP BY campaign_id ORDER BY count(*) DESC LIMIT 1")


def _count(db: Connection, query: str, *parameters: int) -> int:
    row = db.execute(query, parameters).fetchone()  # type: ignore[call-overload]
    return int(row["n"]) if row else 0


def _lots(*lots: str) -> dict[str, Any]:
    return {"by": "lots", "lots": list(lots)}


def _say(text: str, *, quiet: bool) -> None:
    if not quiet:
        print(text, flush=True)


if __name__ == "__main__":
    main()
