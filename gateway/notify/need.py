"""Whether a notice that is due still matters to its person."""

from gateway.store import Row

NOT_OWNED_ANY_MORE = "the unit is no longer this person's"
REPLACED = "replaced or withdrawn before it was due"
OVER = {
    "alarm": "back to normal before it was due",
    "recall": "remedied before it was due",
    "update": "updated before it was due",
    "withdrawal": "seen before it was due",
}
"""By kind of the notice."""


def skip_reason(row: Row) -> str | None:
    """Returns why a notice that is due is not needed any more; None for one that is."""
    if not row["still_owned"]:
        return NOT_OWNED_ANY_MORE
    if row["state"] == "withdrawn":
        return REPLACED
    return OVER[row["kind"]] if row["state"] == "resolved" and row["severity"] != "safety" else None
