"""Who asks: the session cookie, the dependencies that let somebody in, and the owner's narrow connection."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, Request, Response

from gateway.accounts.model import STAFF, Account, Forbidden, NotSignedIn, OpenedSession, Role
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


def reset_name(settings: Settings) -> str:
    """The cookie that lets the browser which asked for a reset code tell it, whatever others try."""
    return "__Host-reset" if is_secure(settings) else "reset"


def browser_name(settings: Settings) -> str:
    """The cookie by which a browser is known that an account was used from; it lets nobody in."""
    return "__Host-browser" if is_secure(settings) else "browser"


def browser_token(request: Request) -> str | None:
    """The token by which the browser may be known."""
    return request.cookies.get(browser_name(request.app.state.settings))


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
    """A dependency: whoever is signed in, if they have one of these roles; raises Forbidden."""

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


def set_session(request: Request, response: Response, opened: OpenedSession) -> None:
    """Hand the browser its session, always a new one, and what it is known by; what it asked codes for is over."""
    keep_session(request, response, opened.token)
    settings: Settings = request.app.state.settings
    keep_cookie(request, response, browser_name(settings), opened.browser, settings.browser_life)
    for name in (ticket_name(settings), reset_name(settings)):
        response.delete_cookie(name, path="/", secure=is_secure(settings), httponly=True, samesite="lax")


def keep_session(request: Request, response: Response, token: str) -> None:
    """Have the browser keep its session for as long as we do."""
    settings: Settings = request.app.state.settings
    keep_cookie(request, response, cookie_name(settings), token, settings.session_life)


def keep_cookie(request: Request, response: Response, name: str, value: str, life: timedelta) -> None:
    """Have the browser keep something that only its requests to us may carry."""
    response.set_cookie(
        name,
        value,
        max_age=int(life.total_seconds()),
        path="/",
        secure=is_secure(request.app.state.settings),
        httponly=True,
        samesite="lax",
    )


def drop_session(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(cookie_name(settings), path="/", secure=is_secure(settings), httponly=True, samesite="lax")
