"""The table of rights in docs/accounts.md is the one that endpoints ask."""

from pathlib import Path

from gateway.accounts.model import STAFF
from gateway.accounts.rights import RIGHTS
from gateway.text import Speech

PAGE = Path(__file__).parents[2] / "docs" / "accounts.md"


def test_the_page_has_every_right_with_the_roles_that_have_it():
    say = Speech("en")
    table = [
        " | ".join([say(f"console-right-{right}"), *("yes" if role in roles else "–" for role in STAFF)])
        for right, roles in RIGHTS.items()
    ]
    _, _, after = PAGE.read_text("utf-8").partition("| Right |")
    lines = after.partition("\n\n")[0].splitlines()[2:]
    assert [line.strip("| ") for line in lines] == table
