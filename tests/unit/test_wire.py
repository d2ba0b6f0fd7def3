import socket

import pytest

from gateway.m2m.wire import BufferedSocket, pubacks


@pytest.fixture
def pair():
    near, far = socket.socketpair()
    wire = BufferedSocket(near)
    wire.setblocking(False)
    yield wire, far
    wire.close()
    far.close()


def test_reads_a_chunk_once_and_hands_it_out_in_pieces(pair):
    wire, far = pair
    far.send(b"abcdef")
    assert wire.recv(1) == b"a"
    assert wire.pending() == 5
    far.send(b"gh")
    assert wire.recv(10) == b"bcdef"
    assert wire.pending() == 0
    assert wire.recv(10) == b"gh"


def test_says_that_nothing_is_there_and_that_the_end_came(pair):
    wire, far = pair
    with pytest.raises(BlockingIOError):
        wire.recv(1)
    far.send(b"z")
    far.close()
    assert wire.recv(5) == b"z"
    assert wire.recv(5) == b""


def test_sends_nothing_before_it_is_flushed(pair):
    wire, far = pair
    far.setblocking(False)
    assert wire.send(b"abc") == 3
    wire.send(b"def")
    assert wire.has_unsent
    with pytest.raises(BlockingIOError):
        far.recv(10)
    wire.flush()
    assert far.recv(10) == b"abcdef"
    assert not wire.has_unsent


def test_keeps_what_the_kernel_does_not_take(pair):
    wire, far = pair
    sent = bytes(range(256)) * 40_000
    wire.send(sent)
    wire.flush()
    assert wire.has_unsent
    came = bytearray()
    while wire.has_unsent:
        came += far.recv(1_000_000)
        wire.flush()
    while len(came) < len(sent):
        came += far.recv(1_000_000)
    assert came == sent


def test_a_broken_connection_is_told_by_the_next_read(pair):
    wire, far = pair
    far.close()
    wire.send(b"abc")
    wire.flush()
    wire.send(b"def")
    wire.flush()
    assert not wire.has_unsent
    assert wire.recv(1) == b""


def test_closing_sends_what_still_waits(pair):
    wire, far = pair
    wire.send(b"bye")
    wire.close()
    assert far.recv(10) == b"bye"


def test_pubacks_are_mqtt_5_packets_in_order():
    assert pubacks([1, 0x1234, 65535]) == b"\x40\x02\x00\x01\x40\x02\x12\x34\x40\x02\xff\xff"
    assert pubacks([]) == b""
