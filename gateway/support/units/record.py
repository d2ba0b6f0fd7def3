"""All that is known of one unit, read in one round trip; each list in it has a bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.campaigns.repository import as_written as campaign_as_written
from gateway.core.errors import NotFound
from gateway.rules.document import stored_rule
from gateway.store import Connection, Row
from gateway.support.units.lists import queries

LISTED = 10
"""Notices, alarms that are over, campaigns and owners in a record; the lists of the console have all of them."""
_ALARMS = 50
"""Alarms in a record: the chart marks them, too."""
_RULES = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a rule, for the chart of its metric."""

    metric: str
    value: float
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit: its row, and rows of what happened to it."""

    unit: Row
    owners: list[Row]
    firmwares: list[Row]
    alarms: list[Row]
    notices: list[Row]
    campaigns: list[Row]
    limits: list[Limit]


def unit_record(connection: Connection, unit_id: str, language: str, now: datetime) -> UnitRecord:
    """Returns the record of the unit with this public id; on a pipelined connection all is sent together.

    Raises NotFound without such a unit.
    """
    arguments = {"unit": unit_id, "language": language, "limit": LISTED, "now": now}
    unit = connection.execute(queries.one, arguments)
    shown = connection.execute(queries.shown, arguments | {"ids": None})
    owners = connection.execute(queries.owners, arguments)
    firmwares = connection.execute(queries.firmwares, arguments)
    alarms = connection.execute(queries.alarms, arguments | {"limit": _ALARMS})
    notices = connection.execute(queries.notices, arguments)
    campaigns = connection.execute(queries.campaigns, arguments)
    rules = connection.execute(queries.rules, arguments | {"limit": _RULES})
    row, more = shown.fetchone(), unit.fetchone()
    if row is None or more is None:
        raise NotFound("There is no such unit.")
    return UnitRecord(
        row | more,
        owners.fetchall(),
        firmwares.fetchall(),
        _with_metrics(alarms.fetchall()),
        notices.fetchall(),
        [campaign_as_written(each) for each in campaigns.fetchall()],
        _limits(rules.fetchall()),
    )


def _with_metrics(alarms: list[Row]) -> list[Row]:
    """Alarms with the title of their rule, and the metric that it judges."""
    documents = {(row["rule"], row["version"]): row for row in alarms}
    rules = {key: stored_rule(row["document"], row["schema"]) for key, row in documents.items()}
    return [
        row | {"title": rule.title, "metric": rule.condition.quantity.metric}
        for row in alarms
        for rule in (rules[row["rule"], row["version"]],)
    ]


def _limits(rules: Sequence[dict[str, Any]]) -> list[Limit]:
    documents = [stored_rule(row["document"], row["schema"]) for row in rules]
    return [
        Limit(rule.condition.quantity.metric, limit.value, rule.title)
        for rule in documents
        for limit in rule.condition.limits
    ]
