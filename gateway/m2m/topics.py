"""The topic scheme: m2m/v1/{product}/{serial}/telemetry, and beside it …/status and …/receipt."""

from dataclasses import dataclass

from gateway.core.serial import canonical_serial
from gateway.m2m.message import Rejected

TELEMETRY_FILTER = "m2m/v1/+/+/telemetry"
STATUS_FILTER = "m2m/v1/+/+/status"
TOPIC_MAX = 256
"""Characters of a topic that is taken; of a longer one so many are kept and shown."""


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """Who publishes: product code and canonical serial."""

    product: str
    serial: str


def parse_topic(topic: str) -> DeviceKey | Rejected:
    """The device that a topic names, or what is wrong with the topic."""
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
    """Who publishes there, however the serial is written: product and canonical serial; empty where it is no device."""
    key = parse_topic(topic)
    return "" if isinstance(key, Rejected) else f"{key.product}/{key.serial}"


def receipt_topic(topic: str) -> str:
    """Where the device that published on this topic reads its receipt: beside it, the serial written the same way."""
    return topic.rpartition("/")[0] + "/receipt"


def last_level(topic: str) -> str:
    """What a message on this topic is: telemetry or status."""
    return topic.rpartition("/")[2]


def is_status(topic: str) -> bool:
    """Whether a message on this topic tells how the device is, and not what it measured."""
    return topic.endswith("/status")
