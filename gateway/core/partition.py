"""The partition of a unit: the part of all units whose state is kept, saved and replayed together."""

PARTITIONS = 64
"""Across all products. Another number needs all saved state to be put in order anew."""


def partition_of(product_code: str, serial: str) -> int:
    """The partition of a unit, by its product's code and its canonical serial.

    As NATS' `partition(64,1,2)` computes it of these two tokens: FNV-1a in 32 bits of both, joined without a separator.
    """
    return fnv1a(product_code + serial) % PARTITIONS


def fnv1a(text: str) -> int:
    """FNV-1a in 32 bits of a text in UTF-8."""
    number = 0x811C9DC5
    for byte in text.encode():
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number
