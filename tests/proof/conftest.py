"""What every proof has: its figures on the terminal, and a seed."""

import secrets

import pytest


@pytest.fixture
def say(request, capsys):
    """Print past pytest's capture: these figures are what one runs a proof for."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.name}: {text}", end=" ", flush=True)

    return printed


@pytest.fixture
def seed(say) -> int:
    """Another one each time; put a printed one here to see its run again."""
    seed = secrets.randbelow(10**6)
    say(f"seed {seed}")
    return seed
