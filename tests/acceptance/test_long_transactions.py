"""Nobody is silenced by a transaction that takes long, whatever it writes and wherever."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from gateway.campaigns.model import Draft
from gateway.campaigns.publish import approve
from gateway.campaigns.service import Writer, draft
from gateway.store import Connection, connect
from tests.conftest import database
from tests.dsl.mqtt import Devices
from tests.dsl.roles import running_roles
from tests.factories import apply_hot_rule, make_fleet
from tests.factories.campaigns import draft_body, person

ROWS = 100_000
RECALLED = 3_000


def imports(tx: Connection) -> None:
    """As no import does any more: many units in one transaction, and many events about them."""
    tx.execute(
        "INSERT INTO unit (public_id, product_id, serial, printed)"
        " SELECT 'u' || n, (SELECT id FROM product), 'NEW' || n, 'NEW' || n FROM generate_series(1, %s) AS n",
        [ROWS],
    )
    tx.execute(
        "INSERT INTO event (kind, actor, data) SELECT 'units.imported', 'test', '{}' FROM generate_series(1, %s)",
        [ROWS],
    )


def corrects_lots(tx: Connection) -> None:
    """As a large import does: it changes the unit itself."""
    tx.execute("UPDATE unit SET lot = 'L1'")


def begin_recall(url: str) -> None:
    """A published recall whose units' owner has an open notice for each, and a draft that is to replace it."""
    with connect(url, "test") as db, db.transaction():
        db.execute(
            "INSERT INTO unit (public_id, product_id, serial, printed)"
            " SELECT 'r' || n, (SELECT id FROM product), 'R' || n, 'R' || n FROM generate_series(1, %s) AS n",
            [RECALLED],
        )
        db.execute("UPDATE unit SET lot = 'L9'")
        ada, bob = (Writer(person(db, name), name) for name in ("Ada", "Bob"))
        recall = {"audience": {"by": "lots", "lots": ["L9"]}}
        now = datetime.now(UTC)
        old = draft(db, ada, Draft.model_validate(draft_body(**recall)), now)
        approve(db, bob, old, units_of(db), 1, [], now)
        db.execute("UPDATE campaign_unit SET due_at = NULL")
        db.execute(
            "INSERT INTO notice (public_id, person_id, unit_id, campaign_id, kind, owned_since, severity, state, text,"
            " why, created_at, updated_at, visible_at) SELECT 'n' || id, %s, id, (SELECT id FROM campaign), 'recall',"
            """ %s, 'safety', 'open', '{"title": "Unplug it"}', '{}', %s, %s, '-infinity' FROM unit""",
            [ada.person_id, now, now, now],
        )
        draft(db, ada, Draft.model_validate(draft_body(**recall, supersedes=old)), now)


def units_of(db: Connection) -> int:
    row = db.execute("SELECT count(*) AS n FROM unit WHERE lot = 'L9'").fetchone()
    assert row
    return int(row["n"])


def approves(tx: Connection) -> None:
    """A real approval: the audience is frozen unit by unit, and all notices of what it replaces are withdrawn."""
    row = tx.execute("SELECT public_id FROM campaign WHERE state = 'draft'").fetchone()
    assert row
    approve(tx, Writer(person(tx, "Bob"), "Bob"), row["public_id"], units_of(tx), 1, [], datetime.now(UTC))
    withdrawn = tx.execute("SELECT count(*) AS n FROM notice WHERE state = 'withdrawn'").fetchone()
    assert withdrawn == {"n": units_of(tx)}


def writes_elsewhere(tx: Connection) -> None:
    """In another database of the server: anything at all."""
    tx.execute("CREATE TABLE other AS SELECT n FROM generate_series(1, %s) AS n", [ROWS])


@contextmanager
def left_open(url: str, work: Callable[[Connection], None]) -> Iterator[None]:
    with connect(url, "long") as other:
        other.execute("BEGIN")
        work(other)
        yield
        assert other.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
        other.execute("ROLLBACK")


@pytest.fixture
def other_database(server) -> Iterator[str]:
    with database(server) as url:
        yield url


def test_an_alarm_is_told_whatever_transaction_is_open(url, other_database, tmp_path, mosquitto_port):
    make_fleet(url, ("P1", "P2", "P3", "P4"), {"P1": "Ada", "P2": "Ada", "P3": "Ada", "P4": "Bob"})
    begin_recall(url)
    apply_hot_rule(url, tmp_path, for_="0s")
    with (
        running_roles(url, mosquitto_port, tmp_path) as roles,
        Devices(mosquitto_port) as devices,
        roles.stream() as stream,
        ExitStack() as stack,
    ):
        for serial, place, work in (
            ("P1", url, approves),
            ("P2", url, imports),
            ("P3", other_database, writes_elsewhere),
            ("P4", url, corrects_lots),
        ):
            stack.enter_context(left_open(place, work))
            devices.reading(serial, time.time(), temp_c=99).flush()
            told = stream.next("notice.told")
        assert roles.readiness()[0] == 200
        page_before_the_upgrade = "812.44"
        with roles.stream(page_before_the_upgrade) as former:
            reset = former.next()
            assert reset["kind"] == "stream.reset"
            devices.reading("P1", time.time(), temp_c=60).flush()
            cleared = former.next("alarm.cleared")
            assert int(cleared["cursor"]) > int(told["cursor"])
