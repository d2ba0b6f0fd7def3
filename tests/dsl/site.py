"""A whole installation that a test may break: durable database, deployed broker, mail server, the roles."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.demo.servers.postgres import EmbeddedPostgres
from gateway.store.migrate import migrate
from tests.dsl.mosquitto import GATEWAY, SIMULATOR, Mosquitto, deployed
from tests.dsl.postgres import own_database
from tests.dsl.reconciled import Fleet, confirm_owners, import_demo
from tests.dsl.roles import ROLES, Roles, running_roles
from tests.dsl.smtp import MailServer, mail_server


@dataclass(frozen=True)
class Site:
    """The demo's products, units and owners, whose addresses are confirmed."""

    postgres: EmbeddedPostgres
    broker: Mosquitto
    roles: Roles
    mail: MailServer
    folder: Path
    fleets: list[Fleet] = field(default_factory=list)

    def fleet(self, scenario: str, name: str, *more: str) -> Fleet:
        """Begin to play a scenario against the broker."""
        self.fleets.append(fleet := Fleet(scenario, _url(self.broker, SIMULATOR), self.folder / name, *more))
        return fleet

    def mend(self) -> list[str]:
        """Start every role that ended, as a supervisor does. Returns their names."""
        ended = self.roles.ended()
        self.roles.start(*ended)
        return ended


@contextmanager
def running_site(
    folder: Path, place: Path | None = None, broker: Mapping[str, str] | None = None, **settings: Any
) -> Iterator[Site]:
    """Everything runs, and is ready. `place` is for the database, `broker` for other values of deploy's settings."""
    with own_database(place) as postgres, deployed(folder, changed=broker) as mosquitto, mail_server() as mail:
        migrate(postgres.url)
        import_demo(postgres.url)
        confirm_owners(postgres.url)
        defaults = {
            "mqtt_url": _url(mosquitto, GATEWAY),
            "smtp_url": mail.url,
            "send_timeout": "2s",
            "claim_timeout": "7s",
            "notices_per_hour": 1_000,
        }
        with running_roles(postgres.url, mosquitto.port, folder, *ROLES, **defaults | settings) as roles:
            roles.wait_until_ready(within=60)
            site = Site(postgres, mosquitto, roles, mail, folder)
            try:
                yield site
            finally:
                for fleet in site.fleets:
                    fleet.kill()


def _url(broker: Mosquitto, user: tuple[str, str]) -> str:
    return f"mqtt://{user[0]}:{user[1]}@127.0.0.1:{broker.port}"
