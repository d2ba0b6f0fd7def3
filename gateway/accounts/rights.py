"""What the staff may do: one table, from which endpoints, pages and the access tests take who may."""

from typing import Literal

from gateway.accounts.model import STAFF, Role, StaffRole

Right = Literal[
    "read",
    "work_alarms",
    "keep_notes",
    "retry",
    "write_campaigns",
    "export",
    "export_people",
    "purge",
    "administer",
]

RIGHTS: dict[Right, tuple[StaffRole, ...]] = {
    # See units, people, alarms, notices, campaigns, the quarantine and the event log.
    "read": STAFF,
    # Acknowledge, assign, comment, judge and resolve alarms.
    "work_alarms": STAFF,
    # Write notes and calls into the records of units and people.
    "keep_notes": STAFF,
    # Have refused messages, failed events and failures to tell tried again.
    "retry": STAFF,
    # Draft, edit and approve campaigns; who approves is another one than who wrote.
    "write_campaigns": ("product_manager", "administrator"),
    # Save lists as files.
    "export": STAFF,
    # Save lists that name people and their addresses.
    "export_people": ("administrator",),
    # Drop refused messages for good.
    "purge": ("administrator",),
    # Invite staff, give and take roles, end sessions.
    "administer": ("administrator",),
}


def may(role: Role, right: Right) -> bool:
    """Whether a role includes a right; a customer has none of them."""
    return role in RIGHTS[right]


def rights_of(role: Role) -> list[Right]:
    """Returns the rights of a role, in the order of the table."""
    return [right for right in RIGHTS if may(role, right)]
