"""What a receipt covers: never a number that did not come, and all that came without a gap before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.m2m.counted import Counted, Number, count

ROOMY = 1_000


def counted(*batches: list[Number], spans_max: int = ROOMY) -> Counted:
    """What is counted after these batches, one after the other."""
    before = None
    for numbers in batches:
        before = count(before, numbers, spans_max)
    assert before is not None
    return before


def boot_0(*numbers: int) -> list[Number]:
    return [(0, seq, 1) for seq in numbers]


@pytest.mark.parametrize(
    ("batches", "spans", "upto"),
    [
        ([boot_0(1)], ((1, 2),), 1),
        ([boot_0(1, 2, 3)], ((1, 4),), 3),
        ([boot_0(3, 1, 2)], ((1, 4),), 3),
        ([boot_0(2)], ((2, 3),), 0),
        ([boot_0(1, 2), boot_0(4)], ((1, 3), (4, 5)), 2),
        ([boot_0(1, 2), boot_0(4), boot_0(3)], ((1, 5),), 4),
        ([boot_0(1), boot_0(1, 1), boot_0(2, 1)], ((1, 3),), 2),
    ],
)
def test_a_gap_holds_the_receipt_back_until_it_closes(batches, spans, upto):
    assert counted(*batches) == Counted(0, spans)
    assert counted(*batches).upto == upto


def test_what_the_device_gave_up_is_not_waited_for():
    assert counted(boot_0(1, 2), [(0, 9, 8)]) == Counted(0, ((1, 8), (9, 10)))
    assert counted(boot_0(1, 2), [(0, 9, 9)]).upto == 9
    assert counted(boot_0(1, 2, 3), [(0, 4, 2)]).upto == 4, "it says less than is known, and takes nothing away"


def test_a_higher_boot_begins_anew_and_a_lower_one_changes_nothing():
    old = counted(boot_0(1, 2, 3))
    new = count(old, [(1, 1, 1)], ROOMY)
    assert new == Counted(1, ((1, 2),))
    assert count(new, boot_0(4), ROOMY) is new
    assert count(old, [(0, 4, 1), (2, 2, 1), (1, 1, 1)], ROOMY) == Counted(2, ((2, 3),)), "in one batch too"


def test_nonsense_numbers_take_bounded_room_and_what_was_left_out_counts_when_it_comes_again():
    scattered = boot_0(*range(3, 3_000, 2))
    kept = counted(boot_0(1), scattered, spans_max=10)
    assert kept.spans == ((1, 2), *((seq, seq + 1) for seq in range(3, 20, 2)))
    all_again = boot_0(*range(2, 3_000))
    assert count(kept, all_again, 10) == Counted(0, ((1, 3_000),))


numbers = st.builds(
    lambda boot, seq, held: (boot, seq, max(1, seq - held)), st.integers(0, 2), st.integers(1, 30), st.integers(0, 40)
)
batches = st.lists(st.lists(numbers, min_size=1, max_size=6), min_size=1, max_size=12)


def by_hand(given_batches: list[list[Number]]) -> tuple[int, int]:
    """Boot and upto, from a set of all numbers that count."""
    boot = max(number[0] for batch in given_batches for number in batch)
    taken: set[int] = set()
    for own, seq, lowest in (number for batch in given_batches for number in batch):
        if own == boot:
            taken |= {seq, *range(1, lowest)}
    upto = 0
    while upto + 1 in taken:
        upto += 1
    return boot, upto


@given(batches)
def test_any_order_with_repeats_gaps_and_boots_says_what_a_set_says(given_batches):
    found = counted(*given_batches)
    assert (found.boot, found.upto) == by_hand(given_batches)


@given(batches, st.integers(1, 4))
def test_it_never_goes_back_nor_covers_too_much_and_has_bounded_room(given_batches, spans_max):
    before = None
    for place, batch in enumerate(given_batches, 1):
        after = count(before, batch, spans_max)
        assert len(after.spans) <= spans_max
        assert (after.boot, after.upto) <= by_hand(given_batches[:place])
        if before:
            assert (after.boot, after.upto) >= (before.boot, before.upto)
        assert all(first < end for first, end in after.spans)
        assert all(left[1] < right[0] for left, right in zip(after.spans, after.spans[1:], strict=False))
        before = after


@given(st.permutations(range(1, 40)), st.integers(1, 3))
def test_a_device_that_sends_again_what_is_not_covered_gets_through_any_bound(order, spans_max):
    known = None
    for _ in order:
        missing = [seq for seq in order if known is None or seq > known.upto]
        if not missing:
            break
        known = count(known, boot_0(*missing), spans_max)
    assert known is not None
    assert known.upto == 39
