"""Tests get their databases also where somebody is connected to every database of the server, as with TimescaleDB."""

import psycopg
import pytest

from gateway.store import connect
from tests.conftest import database, migrated_database
from tests.dsl.visited import visited
from tests.dsl.wait import until

COPIES = 5


@pytest.fixture
def busy_server(server):
    """The server, with somebody in each of its databases that lets them in."""
    with visited(server, every_s=0.1), psycopg.connect(server, autocommit=True) as admin:
        there = "SELECT FROM pg_stat_activity WHERE datname = 'template1'"
        until(lambda: admin.execute(there).rowcount)
        yield server


def test_an_empty_database_is_made(busy_server):
    for _ in range(COPIES):
        with database(busy_server) as url, connect(url, "test") as connection:
            assert connection.execute("SELECT FROM pg_class WHERE relname = 'unit'").rowcount == 0


def test_a_migrated_database_is_made(busy_server, migrated):
    for _ in range(COPIES):
        with migrated_database(busy_server, migrated) as url, connect(url, "test") as connection:
            assert connection.execute("SELECT FROM unit").rowcount == 0


def test_one_that_others_are_connected_to_cannot_be_copied(busy_server):
    """Why it is template0, and why ours is closed."""
    with pytest.raises(psycopg.errors.ObjectInUse), database(busy_server, "template1"):
        pass
