"""A running demo, and Chromium to look at it with."""

import csv
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.embedded.process import spawn
from tests.dsl.ports import free_port
from tests.dsl.wait import until

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DATA = Path(__file__).parents[2] / "gateway" / "demo" / "data"
LOOKS = [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")]


@dataclass
class Demo:
    """The demo's address, its folder, and what can be done to it."""

    url: str
    folder: Path
    password: str
    units: list[dict[str, str]]

    def code_for(self, email: str) -> str:
        """The newest code that was mailed to an address."""
        return until(lambda: self._code(email), what=f"a code for {email}")

    def _code(self, email: str) -> str | None:
        mails = [line for line in self._caught() if line["kind"] == "mail" and email in json.dumps(line)]
        found = [code for mail in mails for code in re.findall(r"\b(\d{4}[ -]?\d{4})\b", json.dumps(mail))]
        return found[-1] if found else None

    def _caught(self) -> list[dict[str, Any]]:
        path = next(iter(self.folder.glob("**/outbox*.jsonl")), None)
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path else []

    def fault(self, unit: str, kind: str, length: str) -> None:
        """Make a simulated unit fail."""
        control = next(self.folder.glob("**/device-sim.sock"))
        command = [str(Path(sys.executable).with_name("device-sim")), "fault", "--control", str(control)]
        subprocess.run([*command, unit, kind, "--for", length], check=True, capture_output=True)

    def free_unit(self, product: str) -> dict[str, str]:
        """A unit that nobody owns, each time another."""
        unit = next(unit for unit in self.units if unit["product"] == product)
        self.units.remove(unit)
        return unit


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    folder.chmod(0o755)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ports = {"HTTP_PORT": port, "MQTT5_PORT": free_port(), "MQTT3_PORT": free_port()}
    settings = {"DATA_DIR": folder, "PUBLIC_URL": url} | ports
    env = os.environ | {f"GATEWAY_{name}": str(value) for name, value in settings.items()}
    log = folder / "log"
    with log.open("wb") as out:
        process = spawn([sys.executable, "-m", "gateway", "demo"], death_signal=signal.SIGINT, env=env, stdout=out)
    try:
        until(lambda: "200 units publish every" in log.read_text(), within=60, what="the demo is ready")
        password = re.search(r"password (\S+)", log.read_text())
        assert password, log.read_text()
        with (DATA / "units.csv").open() as units, (DATA / "owners.csv").open() as owners:
            owned = {row["unit"] for row in csv.DictReader(owners)}
            free = [row for row in csv.DictReader(units) if f"{row['product']}/{row['serial']}" not in owned]
        yield Demo(url, folder, password.group(1), [unit for unit in free if unit["claim_code"]])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing, and with CI=true nothing is skipped")
        pytest.skip("Chromium is missing (apt-get install chromium)")
    quiet = ["background-networking", "component-update", "sync"]
    args = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        *(f"--disable-{name}" for name in quiet),
    ]
    return {"executable_path": CHROMIUM, "args": args}


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest) -> tuple[int, str]:
    """A width, and light or dark."""
    return request.param


@pytest.fixture
def page(new_context: Any, demo: Demo, look: tuple[int, str]) -> Iterator[Any]:
    """A page at this width, in these colours; an error in its console fails the test."""
    width, scheme = look
    context = new_context(
        base_url=demo.url,
        viewport={"width": width, "height": 844 if width < 860 else 1000},
        color_scheme=scheme,
        locale="en-GB",
        reduced_motion="reduce",
    )
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield opened
    assert not wrong


@pytest.fixture
def fresh_email() -> str:
    return f"jana.{secrets.token_hex(4)}@example.com"
