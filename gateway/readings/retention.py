"""How long raw readings, hours and days are kept: as the settings say, or as the file of a product does.

Days of raw readings, months of hours and years of days are dropped whole once no product keeps them. Of products that
keep them shorter the rows are deleted, some units in a transaction, over those same bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.readings import rollups
from gateway.readings.repository import queries
from gateway.store import Connection, Row
from gateway.store.timeseries import TimeSeries

WAITS_FOR_ROLLING = timedelta(days=7)
"""How much longer days of readings are kept that are not rolled up yet, as after an upgrade."""
_DELETE = {"raw": queries.delete_raw, "hour": queries.delete_hours, "day": queries.delete_days}


@dataclass(frozen=True, slots=True)
class Kept:
    """How long raw readings, hours and days are kept; finer ones never longer than coarser ones."""

    raw: timedelta
    hour: timedelta
    day: timedelta

    def of(self, product: Row) -> "Kept":
        """What counts for a product: where its file says nothing, as here."""
        raw = product["raw"] or self.raw
        hour = max(product["hour"] or self.hour, raw)
        return Kept(raw, hour, max(product["day"] or self.day, hour))

    def longest(self, others: Sequence["Kept"]) -> "Kept":
        """What counts for what is dropped whole: the longest of all products; without one, this."""
        return Kept(*(max(spans) for spans in zip(*map(Kept.spans, others or [self]), strict=True)))

    def spans(self) -> tuple[timedelta, timedelta, timedelta]:
        """Raw readings, hours and days, in this order."""
        return self.raw, self.hour, self.day

    def since(self, today: date) -> dict[str, date]:
        """The first day of each level that is kept: hours go by whole months, days by whole years."""
        raw, hour, day = (today - span for span in self.spans())
        return {"raw": raw, "hour": hour.replace(day=1), "day": day.replace(month=1, day=1)}


def drop_whole(connection: Connection, settings: Kept, today: date) -> int:
    """Drop days of readings, months of hours and years of days that no product keeps. Returns how many there were.

    Days of readings that are not rolled up yet are kept, but for a bounded time.
    """
    products = [settings.of(row) for row in connection.execute(queries.retentions)]
    since = settings.longest(products).since(today)
    mark = rollups.mark(connection)
    raw = since["raw"]
    if mark and mark.rolled_to:
        raw = min(raw, max(mark.rolled_to.date(), raw - WAITS_FOR_ROLLING))
    connection.execute(queries.set_raw_from, {"day": raw})
    days = TimeSeries(connection).drop_before(raw)
    row = connection.execute(queries.drop_rollups_before, {"hours": since["hour"], "days": since["day"]}).fetchone()
    return days + (row["dropped"] if row else 0)


def raise_floors(connection: Connection, settings: Kept, today: date) -> None:
    """Say from when on rows are kept of products that keep them shorter than others; before any is deleted.

    Readings that are not rolled up yet are kept.
    """
    mark = rollups.mark(connection)
    if mark is None or mark.rolled_to is None:
        return
    rows = connection.execute(queries.retentions).fetchall()
    of_product = {row["product_id"]: settings.of(row).since(today) for row in rows}
    shared = settings.longest([settings.of(row) for row in rows]).since(today)
    floors = [
        (product, level, min(day, mark.rolled_to.date()))
        for product, since in of_product.items()
        for level, day in since.items()
        if day > shared[level]
    ]
    if floors:
        products, levels, days = map(list, zip(*floors, strict=True))
        connection.execute(queries.raise_floors, {"products": products, "levels": levels, "days": days})


def delete_some(connection: Connection, limit: int) -> int:
    """Delete the rows of a product that are kept no longer, of `limit` units at most, in one transaction.

    Returns the number of units looked at; 0 when nothing is left to delete.
    """
    with connection.transaction():
        floor = connection.execute(queries.next_floor).fetchone()
        if floor is None:
            return 0
        after = {"product_id": floor["product_id"], "after": floor["after_unit"], "limit": limit}
        units = [row["id"] for row in connection.execute(queries.units_after, after)]
        span = {"begin": floor["deleted_to"], "end": floor["kept_from"]}
        if units:
            # Not prepared: only a plan for these times leaves out the partitions of others.
            connection.execute(_DELETE[floor["level"]], {"units": units} | span, prepare=False)
        is_done = len(units) < limit
        moved = {
            "product_id": floor["product_id"],
            "level": floor["level"],
            "deleted_to": floor["kept_from"] if is_done else floor["deleted_to"],
            "after_unit": 0 if is_done else units[-1],
        }
        connection.execute(queries.set_floor, moved)
    return max(len(units), 1)
