"""The topic scheme: m2m/v1/{product}/{serial}/telemetry, and beside it …/status and …/receipt."""

from dataclasses import dataclass

from gateway.core.serial import canonical_serial
from gateway.m2m.message import Rejected

TELEMETRY_FILTER = "m2m/v1/+/+/telemetry"
STATUS_FILTER = "m2m/v1/+/+/status"
TOPIC_MAX = 256
"""The most characters of a topic; a longer one is refused, and kept and shown only up to this length."""


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """The identity of a device: product code and canonical serial."""

    product: str
    serial: str


def parse_topic(topic: str) -> DeviceKey | Rejected:
    """Returns the device of a topic, or what is wrong with the topic."""
    if len(topic) > TOPIC_MAX:
        return Rejected("bad_topic", f"the topic has {len(topic)} characters; send {TOPIC_MAX} at most")
    match topic.split("/"):
        case ["m2m", "v1", product, serial, "telemetry" | "status"]:
            try:
                return DeviceKey(product, canonical_serial(serial))
            except ValueError as error:
                return Rejected("bad_topic", str(error))
        case _:
            return Rejected("bad_topic", "publish to m2m/v1/PRODUCT/SERIAL/telemetry or …/status")


def sender_of(topic: str) -> str:
    """Product and canonical serial of the device that publishes on a topic; empty for a topic of no device."""
    key = parse_topic(topic)
    return "" if isinstance(key, Rejected) else f"{key.product}/{key.serial}"


def receipt_topic(topic: str) -> str:
    """The topic on which a device reads its receipt, with the serial as the device writes it."""
    return topic.rpartition("/")[0] + "/receipt"


def last_level(topic: str) -> str:
    """The kind of a message on this topic: telemetry or status."""
    return topic.rpartition("/")[2]


def is_status(topic: str) -> bool:
    """Whether messages on this topic are status messages."""
    return topic.endswith("/status")
