"""The two forms of a slow proof: a small one in `make test`, and the long one in `make proof`."""

import os
from typing import TypeVar

LONG = os.environ.get("GATEWAY_TEST_LONG") == "1"
"""Whether each test runs in its long form, and on every server."""

T = TypeVar("T")


def form(small: T, long: T) -> T:
    """Returns the number for this form: of kills, messages or owners."""
    return long if LONG else small
