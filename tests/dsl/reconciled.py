"""The demo's products, units, owners and rules; a faulty fleet that plays them; and the comparison with the gateway."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device_sim import cli
from gateway.accounts.repository import set_password
from gateway.accounts.service import create
from gateway.app.imports import apply_rules, import_files
from gateway.store import connect
from tests.dsl.people import PASSWORD, password_hash

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


def play(scenario: str, broker_port: int, folder: Path, *more: str) -> int:
    """Play a scenario in this process; its exit code."""
    given = ["--units", str(UNITS), "--mqtt", f"mqtt://127.0.0.1:{broker_port}", "--out", str(folder), "--quiet"]
    return cli.main(["run", scenario, *given, *more])


def reconcile(folder: Path, http_port: int, capsys: Any, *more: str) -> tuple[int, dict[str, Any], str]:
    """Compare: exit code, the result as JSON (empty where it cannot be told), and what stood on stderr."""
    password = folder.parent / "password.txt"
    password.write_text(PASSWORD + "\n")
    capsys.readouterr()
    access = ["--url", f"http://127.0.0.1:{http_port}", "--email", EMAIL, "--password-file", str(password)]
    code = cli.main(["reconcile", str(folder), *access, "--json", "--quiet", *more])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else {}, told.err
