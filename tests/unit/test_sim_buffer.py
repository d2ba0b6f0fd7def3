"""What a device keeps until a receipt covers it: nothing is let go too early, nothing is sent again for ever."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.run.buffer import LONGEST_MS, Buffer, BufferRules, Receipt, read_receipt
from device_sim.run.sending import Sending

BOOT = 7
FIRST_MS = 10_000


def sending(seq, number=None) -> Sending:
    """One that went out."""
    payload = b'{"ts":%d,"values":{"a":1}}' % seq
    return Sending(0, 0, "t", payload, seq, b'{"a":1}', "reading", number=number or seq, seq=seq, sent=[1.0])


def filled_buffer(*taken, at=0.0) -> Buffer:
    """One that keeps messages with these numbers."""
    made = Buffer(BufferRules(BOOT, limit=1_000, first_ms=FIRST_MS))
    for seq in taken:
        made.take(sending(seq), at)
    return made


def seqs(sendings):
    return [each.seq for each in sendings]


def test_a_receipt_releases_what_it_covers_and_no_more():
    buffer = filled_buffer(1, 2, 3, 4)
    assert seqs(buffer.apply(Receipt(BOOT, 2), 5)) == [1, 2]
    assert seqs(buffer.kept_messages.values()) == [3, 4]
    assert buffer.is_over(sending(2))
    assert not buffer.is_over(sending(3))


@pytest.mark.parametrize("receipt", [Receipt(BOOT - 1, 9), Receipt(BOOT + 1, 9), Receipt(BOOT, 1), Receipt(BOOT, 0)])
def test_a_receipt_of_another_boot_or_of_less_changes_nothing(receipt):
    buffer = filled_buffer(1, 2, 3)
    buffer.apply(Receipt(BOOT, 1), 5)
    assert buffer.apply(receipt, 6) == []
    assert (buffer.upto, seqs(buffer.kept_messages.values())) == (1, [2, 3])


def test_a_copy_goes_out_once_though_its_number_is_covered():
    buffer = filled_buffer(1)
    buffer.apply(Receipt(BOOT, 1), 5)
    copy = sending(1, number=2)
    copy.sent = []
    assert not buffer.is_over(copy)
    copy.sent = [6.0]
    assert buffer.is_over(copy)


def test_without_a_receipt_it_goes_out_again_after_10_s_20_s_40_s_and_then_every_5_min():
    buffer, now, waits = filled_buffer(1, 2), 0.0, []
    for _ in range(8):
        since = now
        while not (again := buffer.repeat(now)):
            now += 1_000
        waits.append((now - since) / 1_000)
        assert (seqs(again), buffer.kept_messages) == ([1, 2], {})
        for each in again:
            buffer.take(each, now)
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]
    assert LONGEST_MS == 300_000


def test_a_receipt_that_moves_begins_the_wait_anew():
    buffer = filled_buffer(1, 2)
    assert seqs(buffer.repeat(10_000)) == [1, 2]
    buffer.take(sending(1), 10_001)
    buffer.take(sending(2), 10_002)
    buffer.apply(Receipt(BOOT, 1), 29_000)
    assert buffer.repeat(38_999) == []
    assert seqs(buffer.repeat(39_000)) == [2]


def test_the_wait_begins_when_the_broker_has_taken_something():
    """A device that reports once an hour must not repeat each message at once."""
    assert filled_buffer(1, at=3_600_000).repeat(3_600_001) == []


def test_what_is_given_up_takes_all_before_it_along_and_is_told_as_from():
    buffer = filled_buffer(1, 2, 4, 5)
    assert b"from" not in buffer.payload(sending(6))
    assert seqs(buffer.give_up(sending(4))) == [1, 2, 4]
    assert json.loads(buffer.payload(sending(6))) == {"boot": 7, "seq": 6, "from": 5, "ts": 6, "values": {"a": 1}}
    assert buffer.is_over(sending(3)), "it was on its way, and nobody waits for it any more"


def test_after_a_broken_connection_everything_goes_out_again_in_its_order():
    buffer = filled_buffer(3, 1, 2)
    assert seqs(buffer.take_all()) == [1, 2, 3]
    assert buffer.kept_messages == {}


@given(st.lists(st.one_of(st.integers(1, 30), st.builds(Receipt, st.just(BOOT), st.integers(0, 30)))))
def test_whatever_comes_nothing_is_released_that_no_receipt_covers_and_nothing_covered_is_kept(steps):
    buffer = filled_buffer()
    put, released = set(), set()
    for step in steps:
        if isinstance(step, Receipt):
            released |= set(seqs(buffer.apply(step, 0)))
        elif not buffer.is_over(sending(step)):
            buffer.take(sending(step), 0)
            put.add(step)
    assert released == {seq for seq in put if seq <= buffer.upto}
    assert set(seqs(buffer.kept_messages.values())) == put - released


def test_a_receipt_is_read():
    assert read_receipt(b'{"boot":3,"upto":17}') == Receipt(3, 17)
    assert read_receipt(b'{"upto":17,"boot":0,"more":true}') == Receipt(0, 17)


@given(
    st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(repr).map(str.encode)
)
def test_whatever_else_stands_there_is_none(payload):
    assert read_receipt(payload) is None


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{}", b'{"boot":3}', b'{"boot":-1,"upto":1}', b'{"boot":true,"upto":1}', b'{"boot":1,"upto":1.0}'],
)
def test_what_looks_like_one_and_is_not_is_none(payload):
    assert read_receipt(payload) is None
