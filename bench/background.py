"""A steady load from a process of its own, so that the one that takes the time is not held up by it."""

import argparse
import time

from bench.backlog import Backlog
from bench.setup import publish_paced


def main() -> None:
    """Publish until all is published, or somebody ends it."""
    parser = argparse.ArgumentParser(prog="bench.background", description=__doc__)
    for name in ("port", "units", "per-s", "seconds", "history-days"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    start_ms = round(time.time() * 1000)
    load = Backlog(given.per_s * given.seconds, given.units, start_ms, history_days=given.history_days)
    publish_paced(load, given.port, given.per_s)


if __name__ == "__main__":
    main()
