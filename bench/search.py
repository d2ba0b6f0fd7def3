"""What the staff's searches cost in the store of `bench.feed`, as a ratio to a request that only checks the session."""

import http.client
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from bench.timed import took_ms
from gateway.store import Connection, Row

WARM_UP = 20
SEED = 11

_SAMPLES = """
SELECT u.printed, u.lot, u.order_number, p.name, p.email, p.phone, p.address, p.customer_number
FROM unit u JOIN person p ON p.id = u.id WHERE u.id = ANY (%(ids)s)
"""
SEARCHES: Mapping[str, Callable[[Row], str]] = {
    "serial": lambda row: row["printed"],
    "serial_key": lambda row: f"p1/{row['printed']}",
    "serial_begun": lambda row: row["printed"][:9],
    "serial_end": lambda row: row["printed"][-5:],
    "serial_middle": lambda row: row["printed"][3:-2],
    "lot": lambda row: row["lot"],
    "order_number": lambda row: row["order_number"],
    "name": lambda row: row["name"],
    "name_turned": lambda row: " ".join(reversed(row["name"].split())),
    "last_name": lambda row: row["name"].split()[-1],
    "name_part": lambda row: row["name"][-5:],
    "email": lambda row: row["email"],
    "phone": lambda row: row["phone"].replace("+49 ", "0"),
    "phone_part": lambda row: row["phone"][-8:-2],
    "address": lambda row: row["address"],
    "street": lambda row: row["address"].split(",")[0],
    "customer_number": lambda row: row["customer_number"],
    "two_letters": lambda row: row["name"][:2],
    "notice_number": lambda row: f"N-{len(row['name']) * 7}",
    "title": lambda _: "feuer pumpe",
    "alarm_title": lambda _: "too hot",
    "nothing": lambda row: row["name"][-4:] + "qx",
}


def searched(db: Connection, requests: int) -> list[Row]:
    """Random units and people to search for."""
    top = (db.execute("SELECT max(id) AS id FROM unit").fetchone() or {})["id"]
    ids = random.Random(SEED).sample(range(1, top + 1), requests)
    return db.execute(_SAMPLES, {"ids": ids}).fetchall()


def search_ratios(port: int, samples: Sequence[Row], cookie: dict[str, str]) -> dict[str, Any]:
    """Searches in turn for each sample. Returns the medians, and the worst ratio to the session's check."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    took: dict[str, list[float]] = {name: [] for name in ("session", *SEARCHES)}
    for sample in [*samples[:WARM_UP], *samples]:
        took["session"].append(took_ms(client, "/api/me", cookie))
        for name, words in SEARCHES.items():
            took[name].append(took_ms(client, f"/api/search?{urlencode({'words': words(sample)})}", cookie))
    p50 = {name: statistics.median(times[min(WARM_UP, len(samples)) :]) for name, times in took.items()}
    session = p50.pop("session")
    ratios = {name: round(each / session, 2) for name, each in p50.items()}
    return {
        "search_ratio_p50": max(ratios.values()),
        "search_ratios": ratios,
        "search_session_p50_ms": round(session, 2),
        "search_p50_ms": {name: round(each, 2) for name, each in p50.items()},
    }
