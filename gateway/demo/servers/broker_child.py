"""The embedded broker's process: `python -m gateway.demo.servers.broker_child CONFIG`; SIGTERM ends it."""

import logging
import os
import sys
import threading
from pathlib import Path

from iotcore import IotCoreBroker

EX_SOFTWARE = 70


def main(config: Path) -> None:
    """Serve until a signal ends the process; errors are in the .log file beside the configuration."""
    broker = IotCoreBroker(config_path=str(config))
    log = os.open(config.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    read_end, write_end = os.pipe()
    os.dup2(write_end, 1)
    os.dup2(write_end, 2)  # Rust writes panics here, and not through Python's logging
    threading.Thread(target=_copy, args=(read_end, log), daemon=True).start()
    logging.basicConfig(level=logging.WARNING)
    # rumqttd logs the route of each packet as an error. At this level that costs nothing; panics are still written.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    try:
        broker.check_ports()  # a listener that cannot be bound would only end a thread of the broker
    except OSError as error:
        os.write(log, f"{error}\n".encode())
        os._exit(os.EX_UNAVAILABLE)  # without waiting for the thread of the pipe
    broker.run_forever()


def is_fatal(line: bytes) -> bool:
    """Whether this line of a panic means that the process runs on but serves no client."""
    # rumqttd 0.20 panics, holding a lock, when a client that was dropped before its CONNACK connects again; from then
    # on every connection to that listener panics at the poisoned lock. Without the router no listener works.
    return b"PoisonError" in line or line.startswith(b"thread 'router")


def _copy(read_end: int, log: int) -> None:
    with os.fdopen(read_end, "rb") as lines:
        for line in lines:
            os.write(log, line)
            if is_fatal(line):
                os._exit(EX_SOFTWARE)  # so that the supervisor starts it again


if __name__ == "__main__":
    main(Path(sys.argv[1]))
