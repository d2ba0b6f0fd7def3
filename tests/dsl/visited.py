"""A visitor that connects to every database of a server, as the scheduler of TimescaleDB does."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

OPEN_TO_ALL = "SELECT datname FROM pg_database WHERE datallowconn ORDER BY oid"


@contextmanager
def visited(server: str, every_s: float = 1.0) -> Iterator[None]:
    """While the block runs, a client is connected to each database of the server, again every `every_s` seconds."""
    is_over = threading.Event()
    visitor = threading.Thread(target=_visit, args=(server, every_s, is_over))
    visitor.start()
    try:
        yield
    finally:
        is_over.set()
        visitor.join()


def _visit(server: str, every_s: float, is_over: threading.Event) -> None:
    old_visits = ExitStack()
    while not is_over.is_set():
        visits = ExitStack()
        for url in _databases(server):
            try:
                visits.enter_context(psycopg.connect(url, autocommit=True))
            except psycopg.OperationalError:  # dropped meanwhile, or about to be
                continue
        old_visits.close()  # after the new ones, so that a client is always connected
        old_visits = visits
        is_over.wait(every_s)
    old_visits.close()


def _databases(server: str) -> list[str]:
    with psycopg.connect(server, autocommit=True) as admin:
        return [psycopg.conninfo.make_conninfo(server, dbname=name) for (name,) in admin.execute(OPEN_TO_ALL)]
