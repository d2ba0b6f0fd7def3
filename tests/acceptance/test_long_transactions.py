"""Nobody is silenced by a transaction that takes long, whatever it writes and wherever."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from gateway.store import Connection, connect
from tests.conftest import database
from tests.dsl.mqtt import Devices
from tests.dsl.roles import running_roles
from tests.factories import apply_hot_rule, make_fleet

WITHIN_S = 2.0
ROWS = 100_000


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


def freezes(tx: Connection) -> None:
    """As the approval of a recall does: the audience, unit by unit."""
    tx.execute("CREATE TEMPORARY TABLE audience ON COMMIT DROP AS SELECT n FROM generate_series(1, %s) AS n", [ROWS])
    tx.execute("UPDATE unit SET lot = 'L1'")


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
def elsewhere(server) -> Iterator[str]:
    with database(server) as url:
        yield url


def test_an_alarm_is_told_within_two_seconds_whatever_transaction_is_open(url, elsewhere, tmp_path, mosquitto_port):
    make_fleet(url)
    apply_hot_rule(url, tmp_path, for_="0s")
    with (
        running_roles(url, mosquitto_port, tmp_path) as roles,
        Devices(mosquitto_port) as devices,
        roles.stream() as stream,
        ExitStack() as stack,
    ):
        for serial, place, work in (("P1", url, imports), ("P2", elsewhere, writes_elsewhere), ("P3", url, freezes)):
            stack.enter_context(left_open(place, work))
            sent = time.monotonic()
            devices.reading(serial, time.time(), temp_c=99).flush()
            told = stream.next("notice.told")
            assert time.monotonic() - sent < WITHIN_S, f"beside {work.__name__}"
        assert roles.readiness()[0] == 200
        page_before_the_upgrade = "812.44"
        with roles.stream(page_before_the_upgrade) as former:
            reset = former.next()
            assert reset["kind"] == "stream.reset"
            devices.reading("P1", time.time(), temp_c=60).flush()
            cleared = former.next("alarm.cleared")
            assert int(cleared["cursor"]) > int(told["cursor"])
