"""The decoders, one file each: they turn a payload into Decoded, and bad input into Rejected, never an exception."""

from collections.abc import Callable

from gateway.m2m.decoders import status, telemetry
from gateway.m2m.device import Device, Limits
from gateway.m2m.message import Decoded, Message, Rejected
from gateway.m2m.topics import last_level

Decoder = Callable[[Message, Device, Limits], Decoded]

DECODERS: dict[str, Decoder] = {"telemetry": telemetry.decode, "status": status.decode}
"""By the last level of the topic; `parse_topic` accepts no other."""


def decode(message: Message, device: Device, limits: Limits) -> Decoded:
    """Decode a message of a known device with the decoder of its topic."""
    size = len(message.payload)
    if size > limits.payload_bytes:
        detail = f"{size} bytes; send {limits.payload_bytes} at most in one message"
        return Decoded(rejected=Rejected("too_large", detail))
    return DECODERS[last_level(message.topic)](message, device, limits)
