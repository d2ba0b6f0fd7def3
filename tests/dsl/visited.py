"""Somebody who connects to every database of a server, as the scheduler of TimescaleDB does."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

OPEN_TO_ALL = "SELECT datname FROM pg_database WHERE datallowconn ORDER BY oid"


@contextmanager
def visited(server: str, every_s: float = 1.0) -> Iterator[None]:
    """Meanwhile somebody is connected to each database of the server, anew every so many seconds."""
    ended = threading.Event()
    visitor = threading.Thread(target=_visit, args=(server, every_s, ended))
    visitor.start()
    try:
        yield
    finally:
        ended.set()
        visitor.join()


def _visit(server: str, every_s: float, ended: threading.Event) -> None:
    before = ExitStack()
    while not ended.is_set():
        visits = ExitStack()
        for url in _databases(server):
            try:
                visits.enter_context(psycopg.connect(url, autocommit=True))
            except psycopg.OperationalError:  # dropped meanwhile, or about to be
                continue
        before.close()  # only now: somebody is always there
        before = visits
        ended.wait(every_s)
    before.close()


def _databases(server: str) -> list[str]:
    with psycopg.connect(server, autocommit=True) as admin:
        return [psycopg.conninfo.make_conninfo(server, dbname=name) for (name,) in admin.execute(OPEN_TO_ALL)]
