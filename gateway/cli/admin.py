"""`gateway admin`: the first administrator is invited from the command line."""

import argparse
from datetime import datetime

from gateway.cli.common import Commands, database_url
from gateway.config import Settings
from gateway.core.errors import BadInput

_NO_MAIL = "No mail is configured. Set GATEWAY_SMTP_URL, or print the code with --show-code."


def add(commands: Commands) -> None:
    """Add the command."""
    accounts = commands.add_parser("admin", help="invite an administrator").add_subparsers(metavar="ACT", required=True)
    create = accounts.add_parser("create", help="invite an administrator; there is no default password")
    create.add_argument("email", metavar="EMAIL")
    create.add_argument("--name", required=True, help="how colleagues call the administrator")
    create.add_argument("--show-code", action="store_true", help="print the invitation code")
    create.set_defaults(run=_admin_create)


def _admin_create(arguments: argparse.Namespace, settings: Settings) -> int:
    from gateway.core.clock import system_clock

    url = database_url(settings)
    lines = create_admin(url, settings, arguments.email, arguments.name, system_clock(), show_code=arguments.show_code)
    print("\n".join(lines))
    return 0


def create_admin(url: str, settings: Settings, email: str, name: str, now: datetime, *, show_code: bool) -> list[str]:
    """Invite an administrator. Returns the lines for the operator. The code, which is no password, works once."""
    from gateway.accounts.invitations import invite
    from gateway.accounts.model import canonical_address
    from gateway.notify.channels.registry import sends_letters
    from gateway.store import connect
    from gateway.store.wakeup import wake

    email = canonical_address(email)
    mailed = sends_letters(settings)
    if not mailed and not show_code:
        raise BadInput(_NO_MAIL)
    if not name.strip() or not name.isprintable():
        raise BadInput("The name is empty or has characters that cannot be printed.")
    with connect(url, "gateway-admin") as connection:
        with connection.transaction():
            code = invite(connection, settings, email, name.strip(), "administrator", None, now, mailed=mailed)
        wake(connection)
    days = settings.invitation_life.days
    lines = [f"An invitation code was mailed to {email}; it is good for {days} days."] if mailed else []
    if show_code:
        lines.append(f"The invitation code of {email} is {code}; it is good once, for {days} days.")
    return [*lines, f"Take the invitation at {settings.public_url}/invitation and choose a password there."]
