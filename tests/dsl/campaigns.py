"""Two product managers who use the API, and a worker whose clock the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from gateway.config import Settings
from gateway.events import append
from gateway.roles.worker import Worker
from gateway.store import Connection, Database
from tests.dsl.owners import CODE
from tests.dsl.people import Browser, Site, site
from tests.dsl.reasons import in_words
from tests.factories.campaigns import add_owners, add_units, column_values, confirm, draft_body

CHANNELS: dict[str, Any] = {"smtp_url": "smtp://127.0.0.1:1", "fcm_credentials": "/none.json"}
"""Settings with both channels, so that deliveries are written; nothing is sent without a sending thread."""


class Office:
    """Paula drafts, Pavel approves; the worker runs when `work` is called."""

    def __init__(self, world: Site, database: Database, db: Connection) -> None:
        self.world, self.database, self.db = world, database, db
        self.paula = world.as_("product_manager", "paula@maker.example")
        self.pavel = world.as_("product_manager", "pavel@maker.example")
        self.worker = self.new_worker()

    def new_worker(self, **settings: Any) -> Worker:
        return Worker(Settings(**CHANNELS | settings), self.database, self.world.now)

    def later(self, span: timedelta) -> None:
        self.world.ahead += span

    def draft(self, *arguments: Any, **changes: Any) -> dict[str, Any]:
        return response_body(self.paula.post("/api/campaigns", draft_body(*arguments, **changes)), 201)

    def approve(self, draft: dict[str, Any], units: int | None = None, by: Browser | None = None) -> Any:
        typed_units = draft["count"]["units"] if units is None else units
        approval = {"units": typed_units, "version": draft["version"]}
        return (by or self.pavel).post(f"/api/campaigns/{draft['id']}/approve", approval)

    def publish(self, *arguments: Any, **changes: Any) -> dict[str, Any]:
        """Draft as Paula and approve as Pavel; owners are not notified yet."""
        return response_body(self.approve(self.draft(*arguments, **changes)))

    def read(self, campaign: dict[str, Any]) -> dict[str, Any]:
        return response_body(self.paula.get(f"/api/campaigns/{campaign['id']}"))

    def progress(self, campaign: dict[str, Any]) -> dict[str, Any]:
        progress: dict[str, Any] = self.read(campaign)["progress"]
        return {name: value for name, value in progress.items() if name != "channels"}

    def units(self, campaign: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        parameters = "&".join(f"{name}={value}" for name, value in query.items())
        return list(response_body(self.paula.get(f"/api/campaigns/{campaign['id']}/units?{parameters}"))["units"])

    def work(self, worker: Worker | None = None) -> None:
        """Run turns of the worker until there is nothing to do."""
        for _ in range(200):
            if not (worker or self.worker).turn():
                return
        pytest.fail("the worker does not come to rest")

    def notices(self) -> list[tuple[str, str, str, str]]:
        """Number, serial, person and state of every notice, in order."""
        return column_values(
            self.db,
            "SELECT c.number, u.serial, p.name, n.state FROM notice n JOIN unit u ON u.id = n.unit_id"
            " JOIN person p ON p.id = n.person_id JOIN campaign c ON c.id = n.campaign_id ORDER BY n.id",
        )

    def ledger(self) -> list[tuple[str, str, str]]:
        """Serial, outcome and reason of every line, in order."""
        rows = column_values(
            self.db,
            "SELECT u.serial, l.outcome, l.reason FROM ledger l JOIN unit u ON u.id = l.unit_id ORDER BY l.id",
        )
        return [(serial, outcome, in_words(reason)) for serial, outcome, reason in rows]

    def held(self) -> list[bool]:
        """Of every notice, in order, whether it is held."""
        return column_values(self.db, "SELECT is_held FROM notice ORDER BY id")

    def outbox(self) -> list[tuple[str, str]]:
        """Channel and status of every delivery, in order."""
        return column_values(self.db, "SELECT channel, status FROM outbox ORDER BY id")

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The data of events of these kinds, in order."""
        return column_values(self.db, "SELECT data FROM event WHERE kind = ANY(%s) ORDER BY id", [list(kinds)])

    def report_firmware(self, serial: str, firmware: str) -> None:
        """Store a reported firmware and write its event, as ingest does."""
        with self.db.transaction():
            row = self.db.execute(
                "UPDATE unit n SET firmware = %s FROM unit b WHERE n.serial = %s AND b.id = n.id"
                " RETURNING n.id, b.firmware AS before",
                [firmware, serial],
            ).fetchone()
            assert row
            data = {"firmware": firmware, "before": row["before"]}
            append(self.db, "unit.firmware_reported", data, unit_id=row["id"])


def response_body(response: Any, status: int = 200) -> dict[str, Any]:
    """Returns the body of a response; fails with its text when its status is another."""
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    return body


def browser_of(at: Office, name: str) -> Browser:
    """The owner, signed in."""
    return at.world.as_("customer", f"{name.lower()}@example.org")


def register(at: Office, name: str, serial: str) -> Any:
    return browser_of(at, name).post("/api/my/units", {"serial": serial, "code": CODE})


def serials(*named: str) -> dict[str, Any]:
    """An audience by a list of serials."""
    return {"by": "serials", "serials": list(named)}


@contextmanager
def pump_office(url: str, db: Connection) -> Iterator[Office]:
    """P1 is Ada's and P2 Bob's, P3 nobody's: all of lot L1. P4 is Cleo's, of lot L2."""
    add_units(db, ("P1", "L1", "2.3"), ("P2", "L1", "2.3"), ("P3", "L1", "2.3"), ("P4", "L2", "2.3"), code=CODE)
    add_owners(db, {"P1": "Ada", "P2": "Bob", "P4": "Cleo"})
    confirm(db, "Ada", "Bob", "Cleo")
    with office(url, db) as opened:
        yield opened


@contextmanager
def office(url: str, db: Connection) -> Iterator[Office]:
    with site(url, db, **CHANNELS) as world, Database(url, "test", max_size=4) as database:
        yield Office(world, database, db)
