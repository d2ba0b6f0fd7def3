"""Run the integration and acceptance tests on one given server, with several workers, in their long form.

`python -m tests.given [ARGUMENT FOR PYTEST …]`. The server is Debian's PostgreSQL, and somebody connects to each of its
databases once a second: it stands for one with TimescaleDB, whose scheduler does that. On such a server itself run
`GATEWAY_TEST_DATABASE_URL=… pytest -n 3 --dist loadfile`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.demo.servers.postgres import EmbeddedPostgres
from tests.conftest import DEBIAN
from tests.dsl.visited import visited

ROOT = Path(__file__).parents[1]
USUAL = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "tests/acceptance", "tests/integration"]


def main() -> int:
    """Run pytest; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="gateway-test-") as folder:
        Path(folder).chmod(0o755)  # where we are root, the server's account has to get through
        with EmbeddedPostgres(Path(folder), binaries=DEBIAN, durable=False) as postgres, visited(postgres.url):
            env = os.environ | {"GATEWAY_TEST_DATABASE_URL": postgres.url, "GATEWAY_TEST_LONG": "1"}
            return subprocess.run(
                [sys.executable, "-m", "pytest", *(sys.argv[1:] or USUAL)], cwd=ROOT, env=env
            ).returncode


if __name__ == "__main__":
    sys.exit(main())
