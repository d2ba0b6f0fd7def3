"""Starts and stops the parts of the demo: servers, data, roles, simulated fleet."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from gateway.config import Settings
from gateway.core.errors import Unavailable
from gateway.demo import outbox, people
from gateway.demo.servers.broker import EmbeddedBroker
from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.demo.visitor import VisitFailed, Visitor
from gateway.imports import service as imports
from gateway.roles import ROLES
from gateway.roles.process import require_free_port
from gateway.roles.supervisor import Supervisor
from gateway.store.migrate import migrate

ACTOR = "demo"
_READY_S = 30.0


class Installation:
    """A running demo: its settings, addresses and files, and the supervisor of its processes."""

    def __init__(
        self,
        settings: Settings,
        data: Path,
        supervisor: Supervisor,
        password: str,
        catcher: outbox.DemoOutbox | None,
        *,
        own_broker: bool,
    ) -> None:
        assert settings.database_url is not None  # noqa: S101 - set by `installation`
        self.settings = settings
        self.database_url = settings.database_url
        self.password = password
        self.catcher = catcher
        self.own_broker = own_broker
        self.data = data
        self.supervisor = supervisor
        self.control = _short_path(settings.data_dir / "device-sim.sock")
        self.truth = settings.data_dir / "ground-truth.jsonl"

    @property
    def http_url(self) -> str:
        """The address of the pages."""
        return f"http://{self.settings.http_host}:{self.settings.http_port}"

    def start_fleet(self, *options: str) -> None:
        """Let the demo's 200 units publish."""
        self.supervisor.start(
            "device-sim",
            [
                program("device-sim"),
                "fleet",
                "--quiet",
                *("--units", self.data / "units.csv"),
                *("--mqtt", self.settings.mqtt_url),
                *("--control", self.control),
                *("--truth", self.truth),
                *options,
            ],
        )

    def wait_until_ready(self) -> None:
        """Wait until pages and catchers answer and every role is ready. Raises Unavailable after 30 s."""
        deadline = time.monotonic() + _READY_S
        visitor = Visitor(self.http_url)
        while not (_is_ready(visitor) and (self.catcher is None or self.catcher.is_ready())):
            self.supervisor.poll()
            if time.monotonic() > deadline:
                raise Unavailable(f"The gateway did not get ready within {_READY_S:.0f} s; see the lines above.")
            time.sleep(0.05)


@contextmanager
def installation(settings: Settings) -> Iterator[Installation]:
    """Start servers (embedded, unless the settings name others), import the demo's data, start the roles."""
    require_free_port(settings.http_host, settings.http_port, "GATEWAY_HTTP_PORT")
    with ExitStack() as stack:
        settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
        if settings.database_url is None:
            # First, since it locks the data folder, and reports clearly when the folder cannot be used.
            url = stack.enter_context(EmbeddedPostgres(settings.data_dir)).url
            settings = settings.model_copy(update={"database_url": url})
        supervisor = Supervisor()
        stack.callback(supervisor.stop_all)
        data = stack.enter_context(as_file(files("gateway.demo") / "data"))
        settings, catcher = outbox.set_up(_branded(settings, data))
        if catcher is not None:
            supervisor.start("outbox", catcher.command())
        own_broker = "mqtt_url" not in settings.model_fields_set
        if own_broker:
            broker = EmbeddedBroker(settings.data_dir, settings.mqtt5_port, settings.mqtt3_port)
            supervisor.start("broker", broker.command())
            settings = settings.model_copy(update={"mqtt_url": broker.mqtt5_url})
        assert settings.database_url is not None  # noqa: S101 - set above
        _fill(settings.database_url, data)
        password = people.settle(settings.database_url, settings.data_dir)
        if own_broker:
            broker.wait_until_ready()
        for role in ROLES:
            supervisor.start(role, [sys.executable, "-m", "gateway", "serve", "--role", role], _environment(settings))
        yield Installation(settings, data, supervisor, password, catcher, own_broker=own_broker)


_BRAND = {
    "maker_name": "Brenhold",
    "maker_color": "#0b5a75",
    "maker_color_dark": "#74c4de",
    "maker_phone": "+49 800 0000000",
    "maker_email": "help@brenhold.example",
    "maker_imprint_url": "https://brenhold.example/imprint",
    "maker_privacy_url": "https://brenhold.example/privacy",
}


def _branded(settings: Settings, data: Path) -> Settings:
    """The settings with the demo's maker, unless the operator names another one."""
    if "maker_name" in settings.model_fields_set:
        return settings
    return settings.model_copy(update=_BRAND | {"maker_logo": data / "logo.svg"})


def program(name: str) -> Path:
    """The path of a command that is installed beside this Python. Raises Unavailable when there is none."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise Unavailable(f"{name} is not installed beside {sys.executable}; install the whole package.")
    return path


def _fill(url: str, data: Path) -> None:
    migrate(url)
    imports.import_files(url, "products", sorted(data.glob("products/*.yaml")), actor=ACTOR)
    imports.import_files(url, "units", [data / "units.csv"], actor=ACTOR)
    imports.import_files(url, "owners", [data / "owners.csv"], actor=ACTOR)
    imports.apply_rules(url, sorted(data.glob("rules/*.yaml")), actor=ACTOR)


def _environment(settings: Settings) -> dict[str, str]:
    """Our environment with the settings as variables for a role."""
    variables = {
        f"GATEWAY_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in settings.model_dump(mode="json", exclude_none=True).items()
    }
    return os.environ | variables


def _is_ready(visitor: Visitor) -> bool:
    try:
        return bool(visitor.get("/readyz")["ready"])
    except VisitFailed:
        return False


def _short_path(path: Path) -> Path:
    """The shorter one of absolute and relative path, since a UNIX socket's path may have only 107 bytes."""
    relative = Path(os.path.relpath(path))
    return min(path, relative, key=lambda candidate: len(str(candidate)))
