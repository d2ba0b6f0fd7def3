"""A running demo, and Chromium to look at it with."""

import csv
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.model import StaffRole
from gateway.accounts.service import create, open_session
from gateway.demo.visitor import Visitor
from gateway.registrations.model import UnitRow
from gateway.roles.process import spawn
from gateway.store import Connection, connect
from tests.dsl.languages import PSEUDO, write_language, write_pseudo_language
from tests.dsl.ports import free_port
from tests.dsl.wait import until
from tests.factories.imports import import_units

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
DATA = Path(__file__).parents[2] / "gateway" / "demo" / "data"
OWNER_PASSWORD = "correct horse battery"
WIDTHS = [390, 1440]


@dataclass
class Demo:
    """The demo's address, its folder, and what can be done to it."""

    url: str
    mqtt_port: int
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

    def database(self) -> Connection:
        """A connection to the demo's database."""
        said = next(self.folder.glob("**/postgres.txt")).read_text("utf-8")
        url = re.search(r"url: (\S+)", said)
        assert url, said
        return connect(url.group(1), "browser-test")

    def make_units(self, *products: str) -> tuple[str, str]:
        """A new unit of each of these products, all with the same serial and claim code, which it answers."""
        serial, code = f"TEST-{secrets.token_hex(4).upper()}", "TWNS-2345"
        rows = [UnitRow(product=product, serial=serial, claim_code=code) for product in products]
        with self.database() as db, db.transaction():
            import_units(db, dict(enumerate(rows, 2)), actor="test")
        return serial, code

    def set_lot(self, product: str, serial: str, lot: str) -> None:
        """Import that a unit is of this lot; the unit is created if it is new."""
        with self.database() as db, db.transaction():
            import_units(db, {2: UnitRow(product=product, serial=serial, lot=lot)}, actor="test")

    def owner(self, *products: str, language: str = "en") -> tuple[Visitor, list[dict[str, Any]]]:
        """Somebody new who owns a new unit of each of these products, and the units."""
        visitor, email = Visitor(self.url), f"owner.{secrets.token_hex(4)}@example.com"
        visitor.post(
            "/api/sign-up", {"email": email, "name": "Jana Möller", "password": OWNER_PASSWORD, "language": language}
        )
        visitor.post("/api/confirm", {"email": email, "code": self.code_for(email).replace("-", "").replace(" ", "")})
        plates = [self.make_units(product) for product in products]
        return visitor, [visitor.post("/api/my/units", {"serial": serial, "code": code}) for serial, code in plates]

    def manager(self) -> Visitor:
        """A product manager that no other test knows."""
        return self.member("product_manager", "Vera Lind")

    def member(self, role: StaffRole, name: str) -> Visitor:
        """A member of the staff that no other test knows."""
        now, email = datetime.now(UTC), f"{name.split(maxsplit=1)[0].lower()}.{secrets.token_hex(4)}@brenhold.example"
        with self.database() as db, db.transaction():
            token = open_session(db, create(db, email, name, role, now), now)
        visitor = Visitor(self.url)
        visitor.cookies["session"] = token
        return visitor

    def fault(self, unit: str, kind: str, length: str) -> None:
        """Make a simulated unit fail."""
        control = next(self.folder.glob("**/device-sim.sock"))
        command = [str(Path(sys.executable).with_name("device-sim")), "fault", "--control", str(control)]
        subprocess.run([*command, unit, kind, "--for", length], check=True, capture_output=True)

    def free_unit(self, product: str) -> dict[str, str]:
        """A simulated unit that nobody owns, each time another."""
        unit = next(unit for unit in self.units if unit["product"] == product)
        self.units.remove(unit)
        return unit


_STARTED = pytest.StashKey[tuple[ExitStack, dict[str, Any]]]()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist: in the process that hands out the tests
def pytest_configure_node(node: Any) -> None:
    """Start one demo, and tell each worker of it. Each looks at people and units of its own."""
    if _STARTED not in node.config.stash:
        stack = ExitStack()
        node.config.stash[_STARTED] = stack, stack.enter_context(_started_demo())
    node.workerinput["demo"] = node.config.stash[_STARTED][1]


def pytest_unconfigure(config: pytest.Config) -> None:
    if started := config.stash.get(_STARTED, None):
        started[0].close()


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    told = getattr(request.config, "workerinput", {}).get("demo")
    with nullcontext(told) if told else _started_demo() as started:
        yield _demo(**started)


@contextmanager
def _started_demo() -> Iterator[dict[str, Any]]:
    """A demo that gets ready meanwhile: its address, its MQTT port and its folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ports = {"HTTP_PORT": port, "MQTT5_PORT": free_port(), "MQTT3_PORT": free_port()}
    # Not pytest's own folder: where we are root, the server's account could not get through, and its data would stay.
    with tempfile.TemporaryDirectory(prefix="gateway-demo-") as folder:
        Path(folder).chmod(0o755)
        settings = {"DATA_DIR": folder, "PUBLIC_URL": url, "TEXT_FOLDER": _more_languages(Path(folder))} | ports
        settings |= {"CODES_PER_NETWORK": 1_000}  # all tests sign up from here
        env = os.environ | {f"GATEWAY_{name}": str(value) for name, value in settings.items()}
        with (Path(folder) / "log").open("wb") as out:
            process = spawn([sys.executable, "-m", "gateway", "demo"], death_signal=signal.SIGINT, env=env, stdout=out)
        try:
            yield {"url": url, "mqtt_port": ports["MQTT5_PORT"], "folder": folder}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _more_languages(folder: Path) -> Path:
    """Returns a folder with French in part, and the made-up language without its letters.

    Campaigns need not be written in a language that is not complete.
    """
    texts = write_language(folder / "text", "fr", "Français", "fr-FR", app="nav-products = Produits\n")
    write_pseudo_language(texts)
    (texts / PSEUDO / "letter.ftl").unlink()
    return texts


def _demo(url: str, mqtt_port: int, folder: str) -> Demo:
    """The demo once it is ready, with the units that nobody owns: this worker's share of them."""
    log = Path(folder) / "log"
    until(lambda: "200 units publish every" in log.read_text(), within=90, what="the demo is ready")
    password = re.search(r"password (\S+)", log.read_text())
    assert password, log.read_text()
    with (DATA / "units.csv").open() as units, (DATA / "owners.csv").open() as owners:
        owned = {row["unit"] for row in csv.DictReader(owners)}
        free = [row for row in csv.DictReader(units) if f"{row['product']}/{row['serial']}" not in owned]
    worker, workers = _worker()
    share = [unit for unit in free if unit["claim_code"]][worker::workers]
    return Demo(url, mqtt_port, Path(folder), password.group(1), share)


def _worker() -> tuple[int, int]:
    """The number of this worker, and how many there are."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name.removeprefix("gw")), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


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


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    """Of the window, in px."""
    return request.param


@pytest.fixture
def page(open_page: Any, width: int) -> Any:
    """A page at this width."""
    return open_page(width)


@pytest.fixture
def open_page(new_context: Any, demo: Demo) -> Iterator[Any]:
    """Opens pages at a width, signed in as an owner if one is given; an error in a console fails."""
    wrong: list[str] = []

    def open_one(width: int = 390, owner: Visitor | None = None, **how: Any) -> Any:
        context = new_context(
            base_url=demo.url,
            viewport={"width": width, "height": 844 if width < 860 else 1000},
            locale="en-GB",
            reduced_motion="reduce",
            **how,
        )
        if owner is not None:
            context.add_cookies(
                [{"name": name, "value": text, "url": demo.url} for name, text in owner.cookies.items()]
            )
        opened = context.new_page()
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        return opened

    yield open_one
    assert not wrong


@pytest.fixture
def fresh_email() -> str:
    return f"jana.{secrets.token_hex(4)}@example.com"
