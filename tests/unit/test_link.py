"""Acknowledgements belong to the connection that brought their messages."""

import socket
import threading
from datetime import timedelta

from gateway.core.clock import system_clock
from gateway.m2m.inbox import Inbox
from gateway.m2m.link import Link, LinkSettings
from tests.dsl.wait import until

CONNACK = b"\x20\x03\x00\x00\x00"
SUBACK = b"\x90\x05\x00\x01\x00\x01\x01"
MESSAGE_7, MESSAGE_8 = b"\x32\x08\x00\x01t\x00\x07\x00hi", b"\x32\x08\x00\x01t\x00\x08\x00ho"
PUBACK_OF_7, PUBACK_OF_8 = b"\x40\x02\x00\x07", b"\x40\x02\x00\x08"


def test_nothing_is_acknowledged_on_a_new_connection_that_came_on_the_one_before():
    """The broker may count anew there: the number would acknowledge another message, which is not committed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        inbox = Inbox(10)
        settings = LinkSettings(*server.getsockname(), "link", timedelta(hours=1), 100, None)
        link = Link(settings, inbox, system_clock)
        stop = threading.Event()
        thread = threading.Thread(target=link.run, args=[stop])
        thread.start()
        try:
            first, _ = server.accept()
            first.recv(1_000)
            first.sendall(CONNACK)
            first.recv(1_000)
            first.sendall(SUBACK + MESSAGE_7)
            until(lambda: len(inbox))
            first.close()
            second, _ = server.accept()
            sent = second.recv(1_000)
            link.acknowledge(inbox.take(1, timedelta(), timedelta()))
            second.sendall(CONNACK)
            sent += second.recv(1_000)
            second.sendall(SUBACK + MESSAGE_8)
            until(lambda: len(inbox))
            link.acknowledge(inbox.take(1, timedelta(), timedelta()))
            while PUBACK_OF_8 not in sent:  # in their order: one of 7 would stand before it
                sent += second.recv(1_000)
            assert PUBACK_OF_7 not in sent
            second.close()
        finally:
            stop.set()
            thread.join(10)
            link.close()
        assert not thread.is_alive()
