"""Helpers that the groups of commands share."""

import sys
from typing import TYPE_CHECKING, TypeAlias

from gateway.config import Settings
from gateway.core.errors import GatewayError
from gateway.roles.supervisor import EX_CONFIG

if TYPE_CHECKING:
    import argparse

__all__ = ["EX_CONFIG", "Commands", "database_url", "say"]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no public name for it


def say(error: GatewayError, code: int) -> int:
    """Print an error, and return the exit code `code`."""
    print(f"gateway: {error}", file=sys.stderr)
    return code


def database_url(settings: Settings) -> str:
    """Returns the database's URL. Without one it prints what to set, and exits."""
    if settings.database_url is None:
        print(
            "gateway: Set GATEWAY_DATABASE_URL to a PostgreSQL URL, like postgresql://gateway@localhost/gateway."
            " (`gateway demo` needs none.)",
            file=sys.stderr,
        )
        sys.exit(EX_CONFIG)
    return settings.database_url
