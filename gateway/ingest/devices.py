"""The devices behind topics: looked up once, and remembered."""

from collections.abc import Iterable, Sequence

from gateway.core.clock import MICROSECOND
from gateway.core.partition import partition_of
from gateway.m2m.device import Device, DeviceMetric
from gateway.m2m.message import Rejected
from gateway.m2m.topics import DeviceKey, parse_topic
from gateway.registrations import repository as registrations
from gateway.registrations.model import Product
from gateway.rules.registry import Metric
from gateway.store import Connection

DEVICES_MAX = 1_000_000
"""Units whose topics are remembered, 330 bytes each with one topic and 460 with two; others are looked up each time."""
SPELLINGS_MAX = 4
"""Topics of one unit that are remembered: telemetry and status, each with the serial written in two ways."""


def rule_metrics(product: Product) -> dict[str, Metric]:
    """A product's metric registry as the rules see it."""
    return {
        metric.name: Metric(
            metric.name,
            metric.unit,
            metric.low,
            metric.high,
            metric.normal_low,
            metric.normal_high,
            metric.cadence,
        )
        for metric in product.metrics
    }


class KnownDevices:
    """The devices of seen topics: a few spellings of each unit, a bounded number of units; the oldest are forgotten."""

    def __init__(self, devices_max: int) -> None:
        self._max = devices_max
        self._of: dict[str, Device] = {}
        self._topics: dict[int, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._of)

    def of(self, topic: str) -> Device | None:
        """The device that publishes there, if it is remembered."""
        return self._of.get(topic)

    def remember(self, topic: str, device: Device) -> Device:
        """Remember it; when full, instead of the unit's oldest spelling or of the unit known longest."""
        topics = self._topics.get(device.unit_id, ())
        if len(topics) == SPELLINGS_MAX:
            del self._of[topics[0]]
            topics = topics[1:]
        elif not topics and len(self._topics) >= self._max:
            for old in self._topics.pop(next(iter(self._topics))):
                del self._of[old]
        device = self._of[topics[0]] if topics else device
        self._topics[device.unit_id] = (*topics, topic)
        self._of[topic] = device
        return device


class Catalog:
    """The devices behind topics. An unknown topic is looked up each time, so that a unit imported later is found."""

    def __init__(self, products: Sequence[Product], devices_max: int = DEVICES_MAX) -> None:
        self._products = {
            product.code: (
                product.id,
                {metric.name: DeviceMetric(metric.id, metric.low, metric.high) for metric in product.metrics},
                product.receipts,
                product.keep_raw // MICROSECOND if product.keep_raw else None,
            )
            for product in products
        }
        self._known = KnownDevices(devices_max)

    def known(self, topics: Iterable[str]) -> dict[str, Device | Rejected]:
        """Returns the devices of topics seen before, and the reason of each topic that names no device."""
        known: dict[str, Device | Rejected] = {}
        for topic in topics:
            device = self._known.of(topic)
            if device is not None:
                known[topic] = device
            elif isinstance(key := parse_topic(topic), Rejected):
                known[topic] = key
        return known

    def devices(self, connection: Connection, topics: Iterable[str]) -> dict[str, Device | Rejected]:
        """Returns the device of each topic, or the reason why there is none."""
        topics = set(topics)
        devices = self.known(topics)
        unknown = {topic: key for topic in topics - devices.keys() if isinstance(key := parse_topic(topic), DeviceKey)}
        return devices | self._look_up(connection, unknown) if unknown else devices

    def _look_up(self, connection: Connection, unknown: dict[str, DeviceKey]) -> dict[str, Device | Rejected]:
        units = registrations.units_by_key(connection, {(key.product, key.serial) for key in unknown.values()})
        found: dict[str, Device | Rejected] = {}
        for topic, key in unknown.items():
            unit = units.get((key.product, key.serial))
            if unit is None or key.product not in self._products:
                found[topic] = self._nobody(key)
            else:
                partition = partition_of(key.product, key.serial)
                product_id, metrics, receipts, behind_us = self._products[key.product]
                device = Device(unit.id, product_id, metrics, receipts, partition, behind_us)
                found[topic] = self._known.remember(topic, device)
        return found

    def _nobody(self, key: DeviceKey) -> Rejected:
        if key.product not in self._products:
            return Rejected("unknown_product", f"{key.product[:64]} is not here; import its product file")
        return Rejected("unknown_unit", f"{key.product[:64]} has no serial {key.serial}; import its units file")
