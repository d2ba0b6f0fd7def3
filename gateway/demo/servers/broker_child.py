"""The embedded broker's own process: `python -m gateway.demo.servers.broker_child CONFIG`, ended by SIGTERM."""

import logging
import os
import sys
import threading
from pathlib import Path

from iotcore import IotCoreBroker

EX_SOFTWARE = 70


def main(config: Path) -> None:
    """Serve until the process is ended; what goes wrong stands in the .log file beside the configuration."""
    broker = IotCoreBroker(config_path=str(config))
    log = os.open(config.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    read_end, write_end = os.pipe()
    os.dup2(write_end, 1)
    os.dup2(write_end, 2)  # Rust's panics are written here, past Python's logging
    threading.Thread(target=_copy, args=(read_end, log), daemon=True).start()
    logging.basicConfig(level=logging.WARNING)
    # rumqttd reports each packet's route as an ERROR record. At this level they cost nothing; panics still show.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    try:
        broker.check_ports()  # a listener that cannot be bound would only kill a thread inside
    except OSError as error:
        os.write(log, f"{error}\n".encode())
        os._exit(os.EX_UNAVAILABLE)  # the pipe's thread need not be waited for
    broker.run_forever()


def ends_the_broker(line: bytes) -> bool:
    """Whether this line of a panic tells that the process lives on but serves nobody."""
    # rumqttd 0.20 panics, holding a lock, when a client that was dropped before its CONNACK comes again; from then on
    # each connection to that listener panics at the poisoned lock. Without the router no listener does anything.
    return b"PoisonError" in line or line.startswith(b"thread 'router")


def _copy(read_end: int, log: int) -> None:
    with os.fdopen(read_end, "rb") as lines:
        for line in lines:
            os.write(log, line)
            if ends_the_broker(line):
                os._exit(EX_SOFTWARE)  # so that it is seen and started again


if __name__ == "__main__":
    main(Path(sys.argv[1]))
