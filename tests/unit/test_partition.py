import pytest

from gateway.core.partition import PARTITIONS, fnv1a, partition_of


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 0x811C9DC5), ("a", 0xE40C292C), ("foobar", 0xBF9CF968), ("chongo was here!\n", 0xD49930D5)],
)
def test_it_is_fnv_1a_by_its_authors_vectors(text, number):
    assert fnv1a(text) == number


def test_tokens_fall_where_the_documentation_of_nats_puts_them():
    """The example of `{{partition(3,1)}}`."""
    assert [fnv1a(f"customerid{n}") % 3 for n in range(1, 7)] == [0, 2, 1, 2, 1, 0]


@pytest.mark.parametrize(("product", "serial", "place"), [("hp", "1", 12), ("hp", "abc", 11)])
def test_two_tokens_fall_where_a_server_put_them(product, serial, place):
    """Tried with a mapping `{{partition(16,1,2)}}` and NATS 2.9.10; 16 divides 64."""
    assert partition_of(product, serial) % 16 == place


def test_units_spread_over_all_partitions():
    counts = [0] * PARTITIONS
    for n in range(6_400):
        counts[partition_of("hp-200", f"HP{n:06}")] += 1
    assert min(counts) > 50
    assert max(counts) < 150
