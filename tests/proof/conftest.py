"""What every proof has: its figures on the terminal, and a seed."""

import secrets

import pytest


@pytest.fixture
def print_figure(request, capsys):
    """Print past pytest's capture: these figures are what one runs a proof for."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(f"\n{request.node.name}: {text}", end=" ", flush=True)

    return printed


@pytest.fixture
def seed(print_figure) -> int:
    """Another one each time; put a printed one here to see its run again."""
    seed = secrets.randbelow(10**6)
    print_figure(f"seed {seed}")
    return seed
