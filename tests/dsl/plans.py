"""The plans that the server makes for named queries."""

from collections.abc import Iterator
from typing import Any

from gateway.store import Connection
from gateway.store.owner import act_as_owner


def plan_of(db: Connection, name: str, text: str, arguments: dict[str, Any]) -> dict[str, Any]:
    with db.transaction():
        if name.startswith("my_"):
            act_as_owner(db, 77)
        row = db.execute("EXPLAIN (FORMAT JSON, COSTS OFF) " + text, arguments, prepare=False).fetchone()
    (plan,) = row["QUERY PLAN"]
    return plan


def nodes(plan: dict[str, Any], limited: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yields every node, and whether it is below a limit."""
    yield plan, limited
    limited = limited or plan["Node Type"] == "Limit"
    for child in plan.get("Plans", ()):
        yield from nodes(child, limited)
