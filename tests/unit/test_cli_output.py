"""Who reads what a command prints may have enough of it."""

import os
import subprocess
import sys

import pytest

from gateway.cli import EX_READER_LEFT


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_ends_the_command_without_a_word(tmp_path, unbuffered):
    """As in `gateway check | head -1`."""
    (tmp_path / "configuration.md").touch()
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "gateway", "schemas", "--dir", str(tmp_path), "--docs", str(tmp_path)]
    try:
        ended = subprocess.run(
            command,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (EX_READER_LEFT, "")
