"""Thousands of devices that publish: each keeps what nobody has answered for yet, and sends it again."""

# One thread, no callbacks of a library between a message and its socket: paho takes five times the CPU for the same
# (docs/adr/0020). A device is up, away, or half open: its socket lives, and it does not notice that nothing comes back.

from collections.abc import Callable, Sequence

from device_sim.errors import SimError
from device_sim.link import Broker, Say
from device_sim.run.buffer import Buffer, Keeping, read_receipt
from device_sim.run.device import WINDOW, Counts, Device, Phase
from device_sim.run.packets import (
    PACKET_IDS,
    Connack,
    Disconnect,
    Heard,
    Level,
    Puback,
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
    """Publishes for many devices with QoS 1; the caller pumps."""

    def __init__(
        self,
        broker: Broker,
        level: Level,
        names: Sequence[tuple[str, Unit]],
        monotonic: Callable[[], float],
        over: Callable[[Sending], None],
        say: Say,
        keeping: Keeping | None = None,
    ) -> None:
        """`names` are client id and unit of each device; `over` hears of each message that need not be kept any more:
        the broker answered, or with `keeping` a receipt covers it or the device gave it up.
        """
        if broker.tls:
            raise SimError("device-sim run speaks plain MQTT only; use mqtt:// (device-sim fleet knows mqtts://)")
        allow_files(len(names))
        self.counts = Counts()
        self.outstanding = 0
        self._level = level
        self._monotonic = monotonic
        self._over = over
        self._keeping = keeping
        self._devices = [
            Device(
                index,
                client_id,
                unit.topic,
                publish_head(unit.topic),
                unit.receipt_topic,
                None if keeping is None else Buffer(keeping),
            )
            for index, (client_id, unit) in enumerate(names)
        ]
        self._sockets = Sockets(broker, level, self._devices, monotonic, self.counts, say)
        self._push = self._sockets.push
        self._swept = self._began = monotonic()

    def begin(self) -> None:
        """Count from now on."""
        self.counts = self._sockets.counts = Counts(connected=self.counts.connected)
        self._began = self._monotonic()

    @property
    def now(self) -> float:
        """Milliseconds since the beginning."""
        return (self._monotonic() - self._began) * 1_000

    # -- What a device is told to do ----------------------------------------------------------------------------

    def publish(self, sending: Sending) -> None:
        """Accept a message: it goes out now, or when its device is up again."""
        device = self._devices[sending.device]
        self.counts.published += 1
        self.outstanding += 1
        if device.buffer is not None:
            self._make_room(device, device.buffer)
            if 0 < sending.seq <= device.buffer.floor:  # it comes late, and was given up with what is newer
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
        """Connect; a half-open connection is left as it is and a new one made with the same client id."""
        self._sockets.up(self._devices[index])

    def down(self, index: int, *, goodbye: bool = True) -> None:
        """Disconnect, or vanish without a word, and stay away until `up`."""
        self._sockets.down(self._devices[index], goodbye=goodbye)

    def half_open(self, index: int, *, deaf: bool) -> None:
        """Hear nothing any more; `deaf` still sends, else the device is silent too. It lasts until `up`."""
        self._sockets.half_open(self._devices[index], deaf=deaf)

    # -- The wheel ----------------------------------------------------------------------------------------------

    def pump(self, timeout: float) -> None:
        """Connect who is due, then wait up to `timeout` seconds for the broker and do what it says."""
        now = self._monotonic()
        if now - self._swept >= _SWEEP_S:
            self._sweep(now)
        for device, packets in self._sockets.turn(timeout):
            for packet in packets:
                if isinstance(packet, Puback):
                    self._answered(device, packet)
                elif isinstance(packet, Connack):
                    self._accepted(device, packet)
                elif isinstance(packet, Suback):
                    self._subscribed(device, packet)
                elif isinstance(packet, Heard):
                    self._heard(device, packet)
                elif isinstance(packet, Disconnect):
                    self._sockets.lost(device, words(packet.code))
            if device.waiting:  # after the last packet: a receipt behind the SUBACK spares much of it
                self._send_waiting(device)

    def close(self) -> None:
        """Say goodbye and leave."""
        for device in self._devices:
            if device.sock is not None:
                self._sockets.down(device)
        self._sockets.close()

    def unanswered(self) -> list[Sending]:
        """The messages that are not over, in no order."""
        return [each for device in self._devices for each in device.unanswered()]

    # -- What goes out ------------------------------------------------------------------------------------------

    def _send(self, device: Device, sending: Sending) -> None:
        device.packet_id = packet_id = device.packet_id % PACKET_IDS + 1
        device.flight[packet_id] = sending
        head = device.head if sending.topic == device.topic else publish_head(sending.topic)
        payload = device.buffer.payload(sending) if sending.seq and device.buffer is not None else sending.payload
        now = self._monotonic()
        if sending.sent:
            self.counts.again += 1
        sending.sent.append((now - self._began) * 1_000)
        device.since = now
        self._push(device, publish(head, payload, packet_id, self._level))

    def _send_waiting(self, device: Device) -> None:
        """As much as the window lets out."""
        while device.waiting and len(device.flight) < device.window and device.phase is Phase.OPEN:
            sending = device.waiting.popleft()
            if device.buffer is not None and sending.seq and device.buffer.over(sending):
                self._end(device.buffer, sending)
            else:
                self._send(device, sending)

    def _sweep(self, now: float) -> None:
        """Look after the connections, and send again what no receipt came for."""
        self._swept = now
        self._sockets.sweep(now)
        if self._keeping is not None:
            for device in self._devices:
                if device.phase is Phase.OPEN and device.repeat(self.now):
                    self._send_waiting(device)

    # -- What comes back ----------------------------------------------------------------------------------------

    def _accepted(self, device: Device, packet: Connack) -> None:
        if device.phase is not Phase.OPENING:
            self._sockets.lost(device, "a second CONNACK")
        elif not packet.accepted:
            self._sockets.lost(device, f"refused the connection: {words(packet.code)}")
        else:
            device.window = min(WINDOW, packet.window or WINDOW)
            if device.buffer is None:
                self._sockets.opened(device)
                return
            device.phase = Phase.SUBSCRIBING
            device.packet_id = device.packet_id % PACKET_IDS + 1
            self._push(device, subscribe(device.receipt_topic, device.packet_id, self._level))

    def _subscribed(self, device: Device, packet: Suback) -> None:
        if device.phase is not Phase.SUBSCRIBING or packet.packet_id != device.packet_id:
            self._sockets.lost(device, "an answer to a subscription that was not asked for")
            return
        if not packet.accepted:
            self._sockets.tell(f"the broker lets nobody hear receipts: {words(packet.code)}")
        self._sockets.opened(device)

    def _answered(self, device: Device, packet: Puback) -> None:
        sending = device.flight.pop(packet.packet_id, None)
        if sending is None:
            return
        accepted = packet.accepted
        if sending.acked is None or sending.code:
            sending.acked = (self._monotonic() - self._began) * 1_000
            self.counts.acknowledged += accepted
        if accepted:
            sending.code = 0
        else:
            sending.code = packet.code
            self.counts.refused += 1
            self._sockets.tell(f"the broker refuses messages: {words(packet.code)}")
        if device.buffer is None or not sending.seq:
            self.outstanding -= 1
            self._over(sending)
        elif device.buffer.over(sending):
            self._end(device.buffer, sending)
        else:
            device.buffer.take(sending, self.now)

    def _heard(self, device: Device, packet: Heard) -> None:
        if device.buffer is None or packet.topic != device.receipt_topic:
            self._sockets.lost(device, f"a message to {packet.topic} that nobody subscribed to")
            return
        receipt = read_receipt(packet.payload)
        if receipt is None:
            self._sockets.tell(f"what stands on {packet.topic} is no receipt")
            return
        for sending in device.buffer.hear(receipt, self.now):
            self._end(device.buffer, sending)

    # -- What is over -------------------------------------------------------------------------------------------

    def _make_room(self, device: Device, buffer: Buffer) -> None:
        """Give up the oldest of a full buffer."""
        if len(device.waiting) + len(device.flight) + len(buffer.taken) < buffer.keeping.limit:
            return
        if buffer.taken:
            oldest = next(iter(buffer.taken.values()))
        else:
            oldest = device.waiting.popleft()
            self._end(buffer, oldest, given_up=True)
        for sending in buffer.give_up(oldest):
            self._end(buffer, sending)

    def _end(self, buffer: Buffer, sending: Sending, *, given_up: bool = False) -> None:
        """A receipt covers it, or it was given up."""
        self.outstanding -= 1
        if given_up or sending.seq <= buffer.floor:
            sending.given_up = True
            self.counts.given_up += 1
        else:
            sending.receipted = self.now
            self.counts.receipted += 1
        self._over(sending)
