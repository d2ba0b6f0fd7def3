"""Thousands of devices that publish; each keeps its messages until they are answered, and else sends them again."""

# One thread, and no library between a message and its socket: paho takes five times the CPU (docs/adr/0020).
# A device is connected, away, or half open: then its socket is open, but it reads nothing from it.

from collections.abc import Callable, Sequence

from device_sim.errors import SimError
from device_sim.link import Broker, Say
from device_sim.run.buffer import Buffer, BufferRules, read_receipt
from device_sim.run.device import WINDOW, Counts, Device, Phase
from device_sim.run.packets import (
    PACKET_IDS,
    Connack,
    Disconnect,
    Level,
    Puback,
    Publish,
    Suback,
    publish,
    publish_head,
    subscribe,
    words,
)
from device_sim.run.sending import Sending
from device_sim.run.sockets import Sockets, allow_files
from device_sim.units import Unit

_SWEEP_S = 1.0


class Swarm:
    """Publishes for many devices with QoS 1; the caller calls `pump` in a loop."""

    def __init__(
        self,
        broker: Broker,
        level: Level,
        names: Sequence[tuple[str, Unit]],
        monotonic: Callable[[], float],
        end_message: Callable[[Sending], None],
        say: Say,
        buffer_rules: BufferRules | None = None,
    ) -> None:
        """`names` are client id and unit of each device; `end_message` is called with each message that is over:
        the broker answered it, or with `keeping` a receipt covers it or the device gave it up.
        """
        if broker.tls:
            raise SimError("device-sim run speaks plain MQTT only; use mqtt:// (device-sim fleet knows mqtts://)")
        allow_files(len(names))
        self.counts = Counts()
        self.outstanding = 0
        self._level = level
        self._monotonic = monotonic
        self._end_message = end_message
        self._buffer_rules = buffer_rules
        self._devices = [
            Device(
                index,
                client_id,
                unit.topic,
                publish_head(unit.topic),
                unit.receipt_topic,
                None if buffer_rules is None else Buffer(buffer_rules),
            )
            for index, (client_id, unit) in enumerate(names)
        ]
        self._sockets = Sockets(broker, level, self._devices, monotonic, self.counts, say)
        self._push = self._sockets.push
        self._swept_at = self._began_at = monotonic()

    def begin(self) -> None:
        """Begin the run: reset the counts and the time."""
        self.counts = self._sockets.counts = Counts(connected=self.counts.connected)
        self._began_at = self._monotonic()

    @property
    def now(self) -> float:
        """Milliseconds since the run began."""
        return (self._monotonic() - self._began_at) * 1_000

    # -- Commands for a device ---------------------------------------------------------------------------------

    def publish(self, sending: Sending) -> None:
        """Send a message now, or when its device is up again."""
        device = self._devices[sending.device]
        self.counts.published += 1
        self.outstanding += 1
        if device.buffer is not None:
            self._make_room(device, device.buffer)
            if 0 < sending.seq <= device.buffer.floor:  # a late message that was given up together with newer ones
                self._end(device.buffer, sending)
                return
        if (
            (device.phase is Phase.OPEN or device.phase is Phase.DEAF)
            and not device.waiting
            and len(device.flight) < device.window
        ):
            self._send(device, sending)
        else:
            device.waiting.append(sending)

    def up(self, index: int) -> None:
        """Connect a device; a half-open connection stays, and a new one is made with the same client id."""
        self._sockets.up(self._devices[index])

    def down(self, index: int, *, goodbye: bool = True) -> None:
        """Disconnect a device until `up`; without `goodbye` by a reset, like a loss of power."""
        self._sockets.down(self._devices[index], goodbye=goodbye)

    def half_open(self, index: int, *, deaf: bool) -> None:
        """Read nothing from a device's connection until `up`; a `deaf` device still sends, any other does not."""
        self._sockets.half_open(self._devices[index], deaf=deaf)

    # -- The loop -----------------------------------------------------------------------------------------------

    def pump(self, timeout: float) -> None:
        """Connect devices that are due, then wait up to `timeout` seconds for packets and handle them."""
        now = self._monotonic()
        if now - self._swept_at >= _SWEEP_S:
            self._sweep(now)
        for device, packets in self._sockets.turn(timeout):
            for packet in packets:
                if isinstance(packet, Puback):
                    self._on_puback(device, packet)
                elif isinstance(packet, Connack):
                    self._on_connack(device, packet)
                elif isinstance(packet, Suback):
                    self._on_suback(device, packet)
                elif isinstance(packet, Publish):
                    self._on_publish(device, packet)
                elif isinstance(packet, Disconnect):
                    self._sockets.handle_loss(device, words(packet.code))
            if device.waiting:  # after the last packet, since a receipt behind the SUBACK may cover many
                self._send_waiting(device)

    def close(self) -> None:
        """Disconnect all devices."""
        for device in self._devices:
            if device.sock is not None:
                self._sockets.down(device)
        self._sockets.close()

    def unanswered(self) -> list[Sending]:
        """Returns the messages that are not over, in any order."""
        return [sending for device in self._devices for sending in device.unanswered()]

    # -- Sending ------------------------------------------------------------------------------------------------

    def _send(self, device: Device, sending: Sending) -> None:
        device.packet_id = packet_id = device.packet_id % PACKET_IDS + 1
        device.flight[packet_id] = sending
        head = device.head if sending.topic == device.topic else publish_head(sending.topic)
        payload = device.buffer.payload(sending) if sending.seq and device.buffer is not None else sending.payload
        now = self._monotonic()
        if sending.sent:
            self.counts.again += 1
        sending.sent.append((now - self._began_at) * 1_000)
        device.since = now
        self._push(device, publish(head, payload, packet_id, self._level))

    def _send_waiting(self, device: Device) -> None:
        """Send waiting messages, as many as the window allows."""
        while device.waiting and len(device.flight) < device.window and device.phase is Phase.OPEN:
            sending = device.waiting.popleft()
            if device.buffer is not None and sending.seq and device.buffer.is_over(sending):
                self._end(device.buffer, sending)
            else:
                self._send(device, sending)

    def _sweep(self, now: float) -> None:
        """Check the connections, and send messages without a receipt again."""
        self._swept_at = now
        self._sockets.sweep(now)
        if self._buffer_rules is not None:
            for device in self._devices:
                if device.phase is Phase.OPEN and device.repeat(self.now):
                    self._send_waiting(device)

    # -- Packets of the broker ----------------------------------------------------------------------------------

    def _on_connack(self, device: Device, packet: Connack) -> None:
        if device.phase is not Phase.OPENING:
            self._sockets.handle_loss(device, "a second CONNACK")
        elif not packet.accepted:
            self._sockets.handle_loss(device, f"refused the connection: {words(packet.code)}")
        else:
            device.window = min(WINDOW, packet.window or WINDOW)
            if device.buffer is None:
                self._sockets.mark_open(device)
                return
            device.phase = Phase.SUBSCRIBING
            device.packet_id = device.packet_id % PACKET_IDS + 1
            self._push(device, subscribe(device.receipt_topic, device.packet_id, self._level))

    def _on_suback(self, device: Device, packet: Suback) -> None:
        if device.phase is not Phase.SUBSCRIBING or packet.packet_id != device.packet_id:
            self._sockets.handle_loss(device, "an answer to a subscription that was not asked for")
            return
        if not packet.accepted:
            self._sockets.say_once(f"the broker lets nobody hear receipts: {words(packet.code)}")
        self._sockets.mark_open(device)

    def _on_puback(self, device: Device, packet: Puback) -> None:
        sending = device.flight.pop(packet.packet_id, None)
        if sending is None:
            return
        is_accepted = packet.accepted
        if sending.acked is None or sending.code:
            sending.acked = (self._monotonic() - self._began_at) * 1_000
            self.counts.acknowledged += is_accepted
        if is_accepted:
            sending.code = 0
        else:
            sending.code = packet.code
            self.counts.refused += 1
            self._sockets.say_once(f"the broker refuses messages: {words(packet.code)}")
        if device.buffer is None or not sending.seq:
            self.outstanding -= 1
            self._end_message(sending)
        elif device.buffer.is_over(sending):
            self._end(device.buffer, sending)
        else:
            device.buffer.take(sending, self.now)

    def _on_publish(self, device: Device, packet: Publish) -> None:
        if device.buffer is None or packet.topic != device.receipt_topic:
            self._sockets.handle_loss(device, f"a message to {packet.topic} that nobody subscribed to")
            return
        receipt = read_receipt(packet.payload)
        if receipt is None:
            self._sockets.say_once(f"what stands on {packet.topic} is no receipt")
            return
        for sending in device.buffer.apply(receipt, self.now):
            self._end(device.buffer, sending)

    # -- Messages that are over ---------------------------------------------------------------------------------

    def _make_room(self, device: Device, buffer: Buffer) -> None:
        """Give up the oldest message of a full buffer."""
        if len(device.waiting) + len(device.flight) + len(buffer.kept_messages) < buffer.rules.limit:
            return
        if buffer.kept_messages:
            oldest = next(iter(buffer.kept_messages.values()))
        else:
            oldest = device.waiting.popleft()
            self._end(buffer, oldest, given_up=True)
        for sending in buffer.give_up(oldest):
            self._end(buffer, sending)

    def _end(self, buffer: Buffer, sending: Sending, *, given_up: bool = False) -> None:
        """Count a message that a receipt covers, or that was given up."""
        self.outstanding -= 1
        if given_up or sending.seq <= buffer.floor:
            sending.given_up = True
            self.counts.given_up += 1
        else:
            sending.receipted = self.now
            self.counts.receipted += 1
        self._end_message(sending)
