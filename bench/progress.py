"""What a look at a campaign's progress costs, as a ratio to reading a single row."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from gateway.campaigns.progress import progress
from gateway.core.clock import system_clock
from gateway.store import Connection

LOOKS = 300


def progress_ratio(db: Connection, campaign_id: int, looks: int = LOOKS) -> dict[str, Any]:
    """Returns the medians of both, taken in turns, and their ratio."""
    progress_ms, row_ms = [], []
    for _ in range(looks):
        progress_ms.append(_took_ms(lambda: progress(db, [campaign_id], system_clock())))
        row_ms.append(_took_ms(lambda: db.execute("SELECT * FROM campaign WHERE id = %s", [campaign_id]).fetchone()))
    ours, row = statistics.median(progress_ms), statistics.median(row_ms)
    return {"progress_ms": round(ours, 3), "single_row_ms": round(row, 3), "progress_ratio": round(ours / row, 2)}


def _took_ms(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)
