"""Who asks: the session cookie, the dependencies that let somebody in, and the owner's narrow connection."""

from collections.abc import Callable, Iterator
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, Request, Response

from gateway.accounts.model import STAFF, Account, Forbidden, NotSignedIn, Opened, Role
from gateway.accounts.service import Accounts
from gateway.accounts.sessions import session_account
from gateway.config import Settings
from gateway.store import Connection, Database
from gateway.store.owner import act_as_owner


def cookie_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host, and needs TLS."""
    return "__Host-session" if is_secure(settings) else "session"


def ticket_name(settings: Settings) -> str:
    """The cookie that binds a sign-up to the browser that began it."""
    return "__Host-sign-up" if is_secure(settings) else "sign-up"


def is_secure(settings: Settings) -> bool:
    """Whether people reach us by TLS."""
    return settings.public_url.startswith("https://")


def accounts(request: Request) -> Accounts:
    """What people do with their accounts."""
    found: Accounts = request.app.state.accounts
    return found


def present_token(request: Request) -> str | None:
    """The session token that the browser sent."""
    return request.cookies.get(cookie_name(request.app.state.settings))


def signed_in(request: Request) -> Account:
    """Whoever is signed in; raises NotSignedIn. The connection is given back before the answer begins."""
    database: Database = request.app.state.database
    token = present_token(request)
    if token:
        with database.read() as connection:
            account = session_account(connection, token, request.app.state.clock())
        if account:
            return account
    raise NotSignedIn


SignedIn = Annotated[Account, Depends(signed_in)]


def role(*roles: Role) -> Callable[[Account], Account]:
    """A dependency: whoever is signed in, if he has one of these roles; raises Forbidden."""

    def has_role(account: SignedIn) -> Account:
        if account.role not in roles:
            raise Forbidden
        return account

    return has_role


staff = role(*STAFF)
administrator = role("administrator")


def owner_connection(request: Request, account: SignedIn) -> Iterator[Connection]:
    """A transaction that sees only the views of a person's own things; it ends before the answer leaves."""
    database: Database = request.app.state.database
    with database.transaction() as tx:
        act_as_owner(tx, account.person_id)
        yield tx


Owned = Annotated[Connection, Depends(owner_connection, scope="function")]


def network(request: Request) -> str:
    """Where a request comes from, for limits: an IPv4 address, or the /64 of an IPv6 one."""
    return network_of(request.client.host if request.client else "")


def network_of(host: str) -> str:
    """The network of an address: the address itself, or the /64 of an IPv6 one."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


Network = Annotated[str, Depends(network)]


def set_session(request: Request, response: Response, opened: Opened) -> None:
    """Hand the browser its session, always a new one; the sign-up it may have begun is over."""
    keep_session(request, response, opened.token)
    settings: Settings = request.app.state.settings
    name = ticket_name(settings)
    response.delete_cookie(name, path="/", secure=is_secure(settings), httponly=True, samesite="lax")


def keep_session(request: Request, response: Response, token: str) -> None:
    """Have the browser keep its session for as long as we do."""
    settings: Settings = request.app.state.settings
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=int(settings.session_life.total_seconds()),
        path="/",
        secure=is_secure(settings),
        httponly=True,
        samesite="lax",
    )


def drop_session(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(cookie_name(settings), path="/", secure=is_secure(settings), httponly=True, samesite="lax")
