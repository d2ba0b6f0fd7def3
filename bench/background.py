"""Publishes a steady load from a separate process, so that it does not slow down the measuring one."""

import argparse
import time

from bench.backlog import Backlog
from bench.setup import publish_paced


def main() -> None:
    """Publish all messages, or until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="bench.background", description=__doc__)
    for name in ("port", "units", "per-s", "seconds", "history-days"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    start_ms = round(time.time() * 1000)
    load = Backlog(options.per_s * options.seconds, options.units, start_ms, history_days=options.history_days)
    publish_paced(load, options.port, options.per_s)


if __name__ == "__main__":
    main()
