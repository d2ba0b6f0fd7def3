"""A steady load from a process of its own, so that the one that takes the time is not held up by it."""

import argparse
import time

from bench.setup import Backlog, publish_paced


def main() -> None:
    """Publish until all is published, or somebody ends it."""
    parser = argparse.ArgumentParser(prog="bench.background", description=__doc__)
    for name in ("port", "units", "per-s", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    load = Backlog(given.per_s * given.seconds, given.units, start_ms=round(time.time() * 1000))
    publish_paced(load, given.port, given.per_s)


if __name__ == "__main__":
    main()
