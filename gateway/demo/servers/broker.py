"""An embedded MQTT broker for the demo: iotcore (rumqttd) on loopback, in a child process."""

import ipaddress
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from gateway.core.errors import Unavailable
from gateway.roles.process import require_free_port, spawn, stop, without_interruption

if TYPE_CHECKING:
    from subprocess import Popen

START_TIMEOUT = 10.0
STOP_TIMEOUT = 5.0

# rumqttd 0.20 always allows 100 unacknowledged messages a consumer: it ignores max_inflight_count and the client's
# receive maximum, in both directions. A client refused for max_connections breaks the listener when it tries again, so
# that limit is high. 16 MB x 10 bounds the memory of one subscription's backlog.
_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 10000
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 10
"""
_LISTENER = """
[{kind}.1]
name = "{kind}"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[{kind}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 100
dynamic_filters = true
"""


class EmbeddedBroker:
    """A broker for the demo only: it keeps sessions and retained messages in memory, and clients need no password."""

    # A consumer gets at most 100 unacknowledged messages, and must acknowledge them in the order of arrival.

    def __init__(self, data_dir: Path, mqtt5_port: int, mqtt3_port: int, host: str = "127.0.0.1") -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the embedded broker lets everybody in, so it listens on loopback only")
        self._config = data_dir.absolute() / "broker.toml"
        self._host = host
        self._mqtt5_port = mqtt5_port
        self._mqtt3_port = mqtt3_port
        self._process: Popen[bytes] | None = None

    @property
    def mqtt5_url(self) -> str:
        """The address for MQTT 5 clients."""
        return f"mqtt://{self._host}:{self._mqtt5_port}"

    @property
    def pid(self) -> int | None:
        """The child's process id while it runs, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def command(self) -> list[str]:
        """Check the ports and write the configuration. Returns the command, for a supervisor that keeps it running."""
        require_free_port(self._host, self._mqtt5_port, "GATEWAY_MQTT5_PORT")
        require_free_port(self._host, self._mqtt3_port, "GATEWAY_MQTT3_PORT")
        listeners = {"v5": self._mqtt5_port, "v4": self._mqtt3_port}
        text = _CONFIG + "".join(
            _LISTENER.format(kind=kind, host=self._host, port=port) for kind, port in listeners.items()
        )
        try:
            self._config.parent.mkdir(parents=True, exist_ok=True)
            self._config.write_text(text)
        except OSError as error:
            raise Unavailable(
                f"The data folder {self._config.parent} cannot be written ({error.strerror}). "
                "Choose another with GATEWAY_DATA_DIR=…"
            ) from error
        return [sys.executable, "-m", "gateway.demo.servers.broker_child", str(self._config)]

    def start(self) -> None:
        """Start the broker and wait until both listeners answer a client."""
        try:
            with without_interruption():
                self._process = spawn(self.command(), death_signal=signal.SIGTERM)
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        """Wait until both listeners answer a client; the supervisor may have started the program."""
        deadline = time.monotonic() + START_TIMEOUT
        # Protocol level 5 on one port, 4 on the other: each listener understands one version only.
        for port, level in ((self._mqtt5_port, 5), (self._mqtt3_port, 4)):
            while not _answers(self._host, port, level):
                ended = self._process is not None and self.pid is None
                if ended or time.monotonic() > deadline:
                    log = self._config.with_suffix(".log")
                    raise Unavailable(f"The embedded MQTT broker did not start; {log} says why.")
                time.sleep(0.02)

    def stop(self) -> None:
        """End the broker and so its sessions."""
        if self._process is not None:
            stop(self._process, signal.SIGTERM, STOP_TIMEOUT)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


def _answers(host: str, port: int, level: int) -> bool:
    """Whether a broker accepts a client, since an open port does not show that its router is up."""
    # A new client id each time: the same one after a refusal would break the listener (see broker_child).
    client = f"probe-{uuid4().hex}".encode()
    properties = b"\x00" if level == 5 else b""
    body = b"\x00\x04MQTT" + bytes([level, 0x02, 0, 60]) + properties + len(client).to_bytes(2, "big") + client
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(b"\x10" + bytes([len(body)]) + body)
            # Close without a DISCONNECT: after one, rumqttd may drop another client that connects at the same time.
            return connection.recv(1) == b"\x20"
    except OSError:
        return False
