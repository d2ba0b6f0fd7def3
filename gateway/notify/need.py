"""Whether a notice that is due still matters to its person."""

from gateway.core.reason import Reason
from gateway.store import Row

NOT_OWNED_ANY_MORE = Reason.of("not-theirs")
REPLACED = Reason.of("replaced-before")
OVER = {
    "alarm": Reason.of("over-before"),
    "recall": Reason.of("remedied-before"),
    "update": Reason.of("updated-before"),
    "withdrawal": Reason.of("seen-before"),
}
"""By kind of the notice."""


def skip_reason(row: Row) -> Reason | None:
    """Returns why a notice that is due is not needed any more; None for one that is.

    A message about many units is needed while one of them is there: `serials` names those.
    """
    if row.get("serials"):
        return None
    if not row["still_owned"]:
        return NOT_OWNED_ANY_MORE
    if row["state"] == "withdrawn":
        return REPLACED
    return OVER[row["kind"]] if row["state"] == "resolved" and row["severity"] != "safety" else None
