"""The demo as a process: its folder, its ports and its processes."""

import os
from pathlib import Path

from tests.dsl.ports import free_port


def demo_env(folder: Path) -> dict[str, str]:
    """The environment of a demo of its own, with its data in a folder."""
    return os.environ | {
        "GATEWAY_DATA_DIR": str(folder / "data"),
        "GATEWAY_HTTP_PORT": str(free_port()),
        "GATEWAY_MQTT5_PORT": str(free_port()),
        "GATEWAY_MQTT3_PORT": str(free_port()),
    }


def processes_of(env: dict[str, str]) -> list[str]:
    """Returns the commands of all processes that were started with this data folder."""
    marker = f"GATEWAY_DATA_DIR={env['GATEWAY_DATA_DIR']}".encode()
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (process / "environ").read_bytes().split(b"\0"):
                commands.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # ended meanwhile
            continue
    return commands
