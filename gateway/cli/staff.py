"""`gateway staff`: lists the staff and who is invited; invites, changes roles, disables, enables, ends sessions."""

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.accounts.model import STAFF, StaffRole
from gateway.cli.common import Commands, database_url
from gateway.config import Settings
from gateway.core.errors import BadInput

if TYPE_CHECKING:
    from gateway.store import Row

_NAME = "gateway-staff"
_NO_MAIL = "No mail is configured. Set GATEWAY_SMTP_URL, or print the code with --show-code."
NONE = "none"
"""The role of who is of the staff no longer."""
_ACTS = {
    "disable": "let somebody sign in no longer, and end their sessions",
    "enable": "let a disabled account sign in again",
    "sessions": "sign somebody out everywhere",
}


def add(commands: Commands) -> None:
    """Add the commands."""
    acts = commands.add_parser("staff", help="the staff's accounts").add_subparsers(metavar="ACT", required=True)
    acts.add_parser("list", help="who there is, and who is invited").set_defaults(run=_list)
    invite = acts.add_parser("invite", help="invite somebody, or give a customer a role of the staff")
    add_invitation(invite)
    invite.add_argument("--role", required=True, choices=STAFF)
    invite.set_defaults(run=_invite)
    role = acts.add_parser("role", help="give a member of the staff another role; their sessions end")
    role.add_argument("email", metavar="EMAIL")
    role.add_argument("role", choices=(*STAFF, NONE), help="`none`: of the staff no longer")
    role.set_defaults(run=_change, act="role")
    for name, what in _ACTS.items():
        act = acts.add_parser(name, help=what)
        act.add_argument("email", metavar="EMAIL")
        act.set_defaults(run=_change, act=name)


def add_invitation(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of an invitation, but for its role."""
    parser.add_argument("email", metavar="EMAIL")
    parser.add_argument("--name", required=True, help="how colleagues call them")
    parser.add_argument("--show-code", action="store_true", help="print the invitation code")


def _list(_arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.core.clock import system_clock

    print("\n".join(staff_lines(database_url(settings), system_clock())))
    return 0


def _invite(arguments: argparse.Namespace, settings: Settings) -> int:
    return print_invitation(arguments, settings, arguments.role)


def _change(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.core.clock import system_clock

    role = None if arguments.act != "role" or arguments.role == NONE else arguments.role
    print(change_member(database_url(settings), arguments.email, arguments.act, role, system_clock()))
    return 0


def print_invitation(arguments: argparse.Namespace, settings: Settings, role: StaffRole) -> int:
    """Invite somebody and print the lines for the operator."""
    from gateway.core.clock import system_clock

    url, now = database_url(settings), system_clock()
    who = arguments.email, arguments.name
    print("\n".join(invitation_lines(url, settings, *who, role, now, show_code=arguments.show_code)))
    return 0


def invitation_lines(
    url: str, settings: Settings, email: str, name: str, role: StaffRole, now: datetime, *, show_code: bool
) -> list[str]:
    """Invite somebody. Returns the lines for the operator. The code, which is no password, works once."""
    from gateway.accounts.model import canonical_address
    from gateway.accounts.staff import Administrator, invite
    from gateway.notify.channels.registry import sends_letters
    from gateway.store import connect
    from gateway.store.wakeup import wake

    email = canonical_address(email)
    mailed = sends_letters(settings)
    if not mailed and not show_code:
        raise BadInput(_NO_MAIL)
    if not name.strip() or not name.isprintable():
        raise BadInput("The name is empty or has characters that cannot be printed.")
    with connect(url, _NAME) as connection:
        with connection.transaction():
            code = invite(connection, settings, Administrator(), email, name.strip(), role, now, mailed=mailed)
        wake(connection)
    days = settings.invitation_life.days
    lines = [f"An invitation code was mailed to {email}; it is good for {days} days."] if mailed else []
    if show_code:
        lines.append(f"The invitation code of {email} is {code}; it is good once, for {days} days.")
    return [*lines, f"Take the invitation at {settings.public_url}/invitation and choose a password there."]


def staff_lines(url: str, now: datetime) -> list[str]:
    """Returns a line for each member of the staff and for each open invitation."""
    from gateway.accounts import staff
    from gateway.store import connect

    with connect(url, _NAME) as connection:
        members, invitations = staff.members(connection, now), staff.open_invitations(connection, now)
    lines = [_member_line(row) for row in members] or ["There is no staff; invite an administrator first."]
    return lines + [
        f"{row['email']}  {row['role']}  invited {row['created_at']:%Y-%m-%d}, until {row['expires_at']:%Y-%m-%d}"
        for row in invitations
    ]


def _member_line(row: "Row") -> str:
    signed_in = f"signed in {row['signed_in_at']:%Y-%m-%d %H:%M} UTC" if row["signed_in_at"] else "not signed in lately"
    sessions = "1 session" if row["sessions"] == 1 else f"{row['sessions']} sessions"
    disabled = "  DISABLED" if row["disabled_at"] else ""
    return f"{row['email']}  {row['role']}  {row['name']}: {signed_in}, {sessions}{disabled}"


def change_member(url: str, email: str, act: str, role: "StaffRole | None", now: datetime) -> str:
    """Do something to an account of the staff; `role` is the new one, None for none. Returns the operator's line."""
    from gateway.accounts import staff
    from gateway.store import connect
    from gateway.store.wakeup import wake

    by = staff.Administrator()
    with connect(url, _NAME) as connection:
        with connection.transaction():
            member = staff.find_member(connection, email)
            if act == "role":
                staff.change_role(connection, by, member, role or "customer", now)
            elif act == "disable":
                staff.disable(connection, by, member, now)
            elif act == "enable":
                staff.enable(connection, by, member, now)
            else:
                staff.end_sessions(connection, by, member, now)
        wake(connection)
    done = {
        "role": f"is {role} now" if role else "is of the staff no longer",
        "disable": "cannot sign in any more",
        "enable": "can sign in again",
        "sessions": "is signed out everywhere",
    }
    return f"{member.name} ({member.email}) {done[act]}."
