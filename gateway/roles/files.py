"""The open files that the api role needs: each connection is one."""

import resource

from gateway.config import Settings
from gateway.core.finding import Finding, ok, problem

_BESIDE = 200
"""Open files beside connections: the database's connections, logs, pages that are being sent."""


def files_needed(settings: Settings) -> int:
    """Returns the number of files that the api role may have open at once."""
    return settings.http_connections_max + _BESIDE


def raise_file_limit(settings: Settings) -> None:
    """Let this process have the open files that it may need, as far as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files_needed(settings)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def file_limit(settings: Settings, hard: int | None = None) -> Finding:
    """Whether this machine allows so many; `hard` is its limit, None asks for it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if hard is None else hard
    needed = files_needed(settings)
    if settings.streams_max > settings.http_connections_max:
        change = f"GATEWAY_HTTP_CONNECTIONS_MAX={settings.streams_max + settings.streams_max // 5}"
        text = f"{settings.streams_max} event streams are allowed, and {settings.http_connections_max} connections"
        return problem("open files", text, change)
    if hard != resource.RLIM_INFINITY and hard < needed:
        change = (
            f"allow {needed}: `ulimit -Hn`, LimitNOFILE of systemd, ulimits of Compose;"
            " or lower GATEWAY_HTTP_CONNECTIONS_MAX and GATEWAY_STREAMS_MAX"
        )
        return problem(
            "open files", f"{needed} may be needed for {settings.streams_max} streams, {hard} allowed", change
        )
    return ok("open files", f"{needed} may be needed, and are allowed")
