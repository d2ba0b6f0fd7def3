import signal
import socket
import threading
from contextlib import suppress

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.core.errors import Unavailable
from gateway.demo.servers.broker import EmbeddedBroker
from gateway.roles.process import spawn, stop
from tests.dsl.ports import free_port
from tests.dsl.wait import until

BUILT_IN_WINDOW = 100


@pytest.fixture
def ports():
    return free_port(), free_port()


@pytest.fixture
def broker(tmp_path, ports):
    with EmbeddedBroker(tmp_path, *ports) as running:
        yield running


@pytest.fixture
def connect():
    clients = []

    def start(port, version, **options):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"c{len(clients)}", protocol=version, **options)
        clients.append(client)
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        properties = None
        if version == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.ReceiveMaximum = 5000
        client.connect("127.0.0.1", port, properties=properties)
        client.loop_start()
        assert connected.wait(5)
        return client

    yield start
    for client in clients:
        client.disconnect()
        client.loop_stop()


def subscribe(client):
    done = threading.Event()
    client.on_subscribe = lambda *_: done.set()
    client.subscribe("m2m/#", 1)
    assert done.wait(5)


def test_a_message_from_an_mqtt_3_device_reaches_an_mqtt_5_consumer(broker, ports, connect):
    consumer = connect(ports[0], MQTTProtocolVersion.MQTTv5)
    got, arrived = [], threading.Event()

    def on_message(_client, _userdata, message):
        got.append(message.payload)
        arrived.set()

    consumer.on_message = on_message
    subscribe(consumer)
    connect(ports[1], MQTTProtocolVersion.MQTTv311).publish("m2m/v1/a/b/telemetry", b"x" * 200_000, 1)
    assert arrived.wait(5)
    assert got == [b"x" * 200_000]


def test_it_listens_on_loopback_only(broker, ports):
    with open("/proc/net/tcp") as table:  # noqa: PTH123 - one line to read
        rows = [line.split() for line in table]
    listening = {row[1] for row in rows if row[3] == "0A"}
    assert {f"0100007F:{port:04X}" for port in ports} <= listening
    assert not {f"00000000:{port:04X}" for port in ports} & listening


def test_a_consumer_holds_a_hundred_unacknowledged_messages_and_gets_the_rest_as_it_acknowledges(
    broker, ports, connect
):
    """The window is built into rumqttd 0.20: a batch that waits for more than 100 messages waits for its time limit."""
    consumer = connect(ports[0], MQTTProtocolVersion.MQTTv5, manual_ack=True)
    held, window, rest = [], threading.Event(), threading.Event()
    let_go = threading.Event()
    total = 1000

    def on_message(client, _userdata, message):
        held.append(message)
        if len(held) == BUILT_IN_WINDOW:
            window.set()
            assert let_go.wait(10)
            for earlier in held:
                client.ack(earlier.mid, earlier.qos)
        elif len(held) > BUILT_IN_WINDOW:
            client.ack(message.mid, message.qos)
        if len(held) == total:
            rest.set()

    consumer.on_message = on_message
    subscribe(consumer)
    publisher = connect(ports[1], MQTTProtocolVersion.MQTTv311)
    sent = [publisher.publish("m2m/v1/a/b/telemetry", str(n), 1) for n in range(total)]
    assert window.wait(10)
    sent[-1].wait_for_publish(10)
    let_go.set()
    assert rest.wait(10)
    assert [message.payload for message in held] == [str(n).encode() for n in range(total)]


@pytest.mark.parametrize(("taken", "setting"), [(0, "GATEWAY_MQTT5_PORT"), (1, "GATEWAY_MQTT3_PORT")])
def test_a_taken_port_is_named_with_its_setting(broker, tmp_path, ports, taken, setting):
    wanted = [free_port(), free_port()]
    wanted[taken] = ports[taken]
    with pytest.raises(Unavailable, match=rf"^Port {ports[taken]} is taken by another program\..*{setting}=…$"):
        EmbeddedBroker(tmp_path / "other", *wanted).start()


def test_it_starts_again_at_once_on_the_same_ports(broker, ports, connect):
    connect(ports[0], MQTTProtocolVersion.MQTTv5)
    broker.stop()
    broker.start()
    assert broker.pid is not None
    assert broker.mqtt5_url == f"mqtt://127.0.0.1:{ports[0]}"


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(ports, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"^The data folder .* cannot be written .*GATEWAY_DATA_DIR=…$"):
        EmbeddedBroker(tmp_path / "file" / "x", *ports).start()


def test_a_broker_that_serves_nobody_any_more_ends_so_that_it_can_be_started_again(tmp_path, ports):
    """In rumqttd 0.20 a client that was refused and comes again breaks the listener for everybody."""
    argv = EmbeddedBroker(tmp_path, *ports).command()
    config = tmp_path / "broker.toml"
    config.write_text(config.read_text().replace("max_connections = 10000", "max_connections = 1"))
    child = spawn(argv, death_signal=signal.SIGTERM)
    clients = []

    def comes_again():
        with suppress(OSError):
            # The first takes the one place; the second is refused and comes again.
            clients.append(connect_as(b"cd" if clients else b"ab", ports[0]))
        return child.poll() is not None

    try:
        until(comes_again, every=0.05, what="it ends")
        assert child.returncode == 70
    finally:
        stop(child, signal.SIGTERM, timeout=5)
        for client in clients:
            client.close()


def connect_as(name, port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=1)
    connection.sendall(b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02" + name)
    return connection
