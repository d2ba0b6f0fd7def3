"""docker-compose.yml without Docker: its services as processes, with hosts, ports and folders of this machine."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.roles.process import spawn

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:[-?+])([^}]*))?\})")


class MissingVariable(Exception):
    """A variable that the file demands; the message is the file's."""


def interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    """What Compose does with ${A}, ${A:-default}, ${A:?message}, ${A:+other} and $$ in every value of the file."""
    if isinstance(value, dict):
        return {key: interpolate(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, variables) for item in value]
    if not isinstance(value, str):
        return value

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        variable = variables.get(match[1], "")
        if match[2] == ":-":
            return variable or match[3]
        if match[2] == ":?" and not variable:
            raise MissingVariable(match[3])
        if match[2] == ":+":
            return match[3] if variable else ""
        return variable

    rest = _VARIABLE.sub("", value)
    assert "$" not in rest, f"a use of $ that this reader does not know: {value}"
    return _VARIABLE.sub(replacement, value)


def dotenv(text: str) -> dict[str, str]:
    """The variables of a .env file without quotes."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


class Compose:
    """The file, read with these variables; `here` maps texts of it to their replacements on this machine."""

    def __init__(self, variables: Mapping[str, str], here: Mapping[str, str], folder: Path) -> None:
        text = (ROOT / "docker-compose.yml").read_text()
        self.services: dict[str, dict[str, Any]] = interpolate(yaml.safe_load(text), variables)["services"]
        self._here = here
        self._folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def local(self, text: str) -> str:
        for old, new in self._here.items():
            text = text.replace(old, new)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """Returns the service's variables, with a PATH on which our own programs stand for those of the image."""
        variables = {
            name: self.local(str(value)) for name, value in self.services[service].get("environment", {}).items()
        }
        return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | variables

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """The service's command until it ends, or another one with its environment, as `compose run` does."""
        argv = [self.local(word) for word in command or self.services[service]["command"]]
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=120, env=self.environment(service), cwd=ROOT
        )

    def start(self, service: str) -> None:
        argv = [self.local(word) for word in self.services[service]["command"]]
        with (self._folder / f"{service}.log").open("ab") as log:
            self.running[service] = spawn(
                argv, death_signal=signal.SIGKILL, env=self.environment(service), stdout=log, cwd=ROOT
            )

    def stop(self, service: str) -> int:
        """SIGTERM, as `compose stop` does. Returns the exit code."""
        process = self.running.pop(service)
        process.terminate()
        return process.wait(20)

    def healthy(self, service: str) -> bool:
        """Whether the service's health check succeeds."""
        kind, *words = self.services[service]["healthcheck"]["test"]
        assert kind in {"CMD", "CMD-SHELL"}
        return self.run(service, *(["/bin/sh", "-c", words[0]] if kind == "CMD-SHELL" else words)).returncode == 0

    def log(self, service: str) -> str:
        return (self._folder / f"{service}.log").read_text()

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(10)
