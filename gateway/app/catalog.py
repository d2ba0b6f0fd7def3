"""Who may publish what: topics are looked up as devices, and remembered."""

from collections.abc import Iterable, Sequence

from gateway.m2m.decode import Device, DeviceMetric
from gateway.m2m.message import Rejected
from gateway.m2m.topics import DeviceKey, parse_topic
from gateway.registrations import repository as registrations
from gateway.registrations.model import Product
from gateway.rules.registry import Metric
from gateway.store import Connection


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


class Catalog:
    """The devices behind topics. What is unknown is asked for again, so that a unit imported later is found."""

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = {
            product.code: (
                product.id,
                {metric.name: DeviceMetric(metric.id, metric.low, metric.high) for metric in product.metrics},
                product.receipts,
            )
            for product in products
        }
        self._devices: dict[str, Device] = {}

    def devices(self, connection: Connection, topics: Iterable[str]) -> dict[str, Device | Rejected]:
        """The device of each topic, or why there is none."""
        found: dict[str, Device | Rejected] = {}
        unknown: dict[str, DeviceKey] = {}
        for topic in set(topics):
            device = self._devices.get(topic)
            if device is not None:
                found[topic] = device
            elif isinstance(key := parse_topic(topic), Rejected):
                found[topic] = key
            else:
                unknown[topic] = key
        if unknown:
            self._look_up(connection, unknown)
        for topic, key in unknown.items():
            found[topic] = self._devices.get(topic) or self._nobody(key)
        return found

    def _look_up(self, connection: Connection, unknown: dict[str, DeviceKey]) -> None:
        units = registrations.units_by_key(connection, {(key.product, key.serial) for key in unknown.values()})
        for topic, key in unknown.items():
            unit = units.get((key.product, key.serial))
            if unit is not None and key.product in self._products:
                self._devices[topic] = Device(unit.id, *self._products[key.product])

    def _nobody(self, key: DeviceKey) -> Rejected:
        if key.product not in self._products:
            return Rejected("unknown_product", f"{key.product[:64]} is not here; import its product file")
        return Rejected("unknown_unit", f"{key.product[:64]} has no serial {key.serial}; import its units file")
