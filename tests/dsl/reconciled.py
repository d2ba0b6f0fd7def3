"""The demo's products, units, owners and rules; a faulty fleet that plays them; and the comparison with the gateway."""

import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device_sim import cli
from device_sim.run.folder import MESSAGES, RUN, read_run
from gateway.accounts.repository import set_password
from gateway.accounts.service import create
from gateway.imports.service import apply_rules, import_files
from gateway.roles.process import spawn
from gateway.store import connect
from tests.dsl.people import PASSWORD, password_hash
from tests.dsl.wait import until

DATA = Path(__file__).parents[2] / "gateway" / "demo" / "data"
UNITS = DATA / "units.csv"
EMAIL = "sim@example.org"


def import_demo(url: str) -> None:
    """Fill a database as the demo does, and let somebody of the support sign in."""
    import_files(url, "products", sorted(DATA.glob("products/*.yaml")), actor="test")
    import_files(url, "units", [UNITS], actor="test")
    import_files(url, "owners", [DATA / "owners.csv"], actor="test")
    apply_rules(url, sorted(DATA.glob("rules/*.yaml")), actor="test")
    with connect(url, "test") as connection, connection.transaction():
        account = create(connection, EMAIL, "Sim", "support", datetime.now(UTC))
        set_password(connection, account, password_hash())


def confirm_owners(url: str) -> None:
    """Let every owner of the demo be reached by mail."""
    with connect(url, "test") as connection:
        connection.execute(
            "INSERT INTO account (public_id, person_id, role, confirmed_at, created_at)"
            " SELECT 'owner-' || id, id, 'customer', now(), now() FROM person"
            " WHERE NOT EXISTS (SELECT FROM account WHERE person_id = person.id)"
        )


def play(scenario: str, broker_port: int, folder: Path, *more: str) -> int:
    """Play a scenario in this process; its exit code."""
    return cli.main(_run(scenario, f"mqtt://127.0.0.1:{broker_port}", folder, *more))


class Fleet:
    """The same in a process of its own, so that the test is free to break things meanwhile."""

    def __init__(self, scenario: str, mqtt: str, folder: Path, *more: str) -> None:
        self.folder = folder
        self._log = folder.with_suffix(".log")
        command = [Path(sys.executable).with_name("device-sim"), *_run(scenario, mqtt, folder, *more)]
        with self._log.open("wb") as log:
            self._process = spawn(command, death_signal=signal.SIGKILL, stdout=log)
        until(lambda: (folder / MESSAGES).exists() and (folder / RUN).exists(), what="the fleet plays")

    @property
    def plays(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def finish(self, within: float) -> dict[str, Any]:
        """Wait for its end, when the broker has acknowledged every message. Returns run.json."""
        assert self._process.wait(within) == 0, self._log.read_text()
        return read_run(self.folder)


def _run(scenario: str, mqtt: str, folder: Path, *more: str) -> list[str]:
    return ["run", scenario, "--units", str(UNITS), "--mqtt", mqtt, "--out", str(folder), "--quiet", *more]


def reconcile(folder: Path, http_port: int, capsys: Any, *more: str) -> tuple[int, dict[str, Any], str]:
    """Compare. Returns the exit code, the result as JSON (empty where there is none), and stderr."""
    password = folder.parent / "password.txt"
    password.write_text(PASSWORD + "\n")
    capsys.readouterr()
    access = ["--url", f"http://127.0.0.1:{http_port}", "--email", EMAIL, "--password-file", str(password)]
    code = cli.main(["reconcile", str(folder), *access, "--json", "--quiet", *more])
    output = capsys.readouterr()
    return code, json.loads(output.out) if output.out else {}, output.err


def differences(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Check, unit, what was expected and what was found."""
    return [(item["check"], item["unit"], item["expected"], item["found"]) for item in result["differences"]]


def checks_by_name(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The checks by their names."""
    return {check["name"]: check for check in result["checks"]}
