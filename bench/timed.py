"""One request on a connection that stays open, and how long it took."""

import http.client
import time

from gateway.core.errors import Unavailable


def took_ms(client: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> float:
    """Milliseconds until the whole response was read; raises Unavailable unless it is 200."""
    begun = time.perf_counter()
    client.request("GET", path, headers=headers)
    response = client.getresponse()
    body = response.read()
    took = 1000 * (time.perf_counter() - begun)
    if response.status != 200:
        raise Unavailable(f"{path} gave {response.status}: {body[:200]!r}")
    return took
