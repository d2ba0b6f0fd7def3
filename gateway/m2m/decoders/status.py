"""A unit's status in JSON: the firmware that it runs."""

from gateway.m2m import names
from gateway.m2m.decoders.content import json_content
from gateway.m2m.device import Device, Limits
from gateway.m2m.message import Decoded, Message, Rejected

FIRMWARE_MAX = 40
"""The most characters of a firmware's name."""


def decode(message: Message, _device: Device, _limits: Limits) -> Decoded:
    """The firmware that a status message reports, if it reports one.

    Payload: {"state": "online", "firmware": "2.4.0"}. Other fields are ignored, for now `state` too. An empty payload
    deletes a retained message.
    """
    if not message.payload:
        return Decoded()
    content = json_content(message.payload)
    if isinstance(content, Rejected):
        return Decoded(rejected=content)
    if not isinstance(content, dict):
        return Decoded(rejected=Rejected("bad_shape", 'write {"state": "online", "firmware": "2.4.0"}'))
    ignored = names.printable_names(names.ignored(content, names.STATUS))
    firmware = content.get("firmware")
    if firmware is None:
        return Decoded(rejected=names.near_firmware(content), ignored=ignored)
    if not isinstance(firmware, str) or not 1 <= len(firmware) <= FIRMWARE_MAX or not firmware.isprintable():
        detail = f"send firmware as text of 1 to {FIRMWARE_MAX} printable characters"
        return Decoded(rejected=Rejected("bad_firmware", detail), ignored=ignored)
    return Decoded(ignored=ignored, firmware=firmware)
