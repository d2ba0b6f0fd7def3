"""Who makes a request: session cookies, the dependencies that require a role, and the owner's database connection."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.accounts.model import Account, Forbidden, NotSignedIn, OpenedSession
from gateway.accounts.rights import Right, may
from gateway.accounts.service import Accounts
from gateway.accounts.sessions import session_account
from gateway.config import Settings
from gateway.store import Connection, Database
from gateway.store.owner import act_as_owner
from gateway.text import Speech


def cookie_name(settings: Settings) -> str:
    """Returns the name of the session cookie; `__Host-` binds it to this host, and needs TLS."""
    return "__Host-session" if is_secure(settings) else "session"


def ticket_name(settings: Settings) -> str:
    """Returns the name of the cookie that binds a sign-up to the browser that began it."""
    return "__Host-sign-up" if is_secure(settings) else "sign-up"


def reset_name(settings: Settings) -> str:
    """Returns the name of the cookie that marks the browser that asked for a reset code."""
    return "__Host-reset" if is_secure(settings) else "reset"


def browser_name(settings: Settings) -> str:
    """Returns the name of the cookie that marks a browser that an account was used from; it signs nobody in."""
    return "__Host-browser" if is_secure(settings) else "browser"


def browser_token(request: Request) -> str | None:
    """Returns the token of the browser cookie, if the browser sent one."""
    return request.cookies.get(browser_name(request.app.state.settings))


def is_secure(settings: Settings) -> bool:
    """Whether people reach us by TLS."""
    return settings.public_url.startswith("https://")


def accounts(request: Request) -> Accounts:
    """Returns the service for accounts."""
    service: Accounts = request.app.state.accounts
    return service


def present_token(request: Request) -> str | None:
    """Returns the session token, if the browser sent one."""
    return request.cookies.get(cookie_name(request.app.state.settings))


def signed_in(request: Request) -> Account:
    """Returns the account that is signed in; raises NotSignedIn. The connection is returned before the response."""
    database: Database = request.app.state.database
    token = present_token(request)
    if token:
        with database.read() as connection:
            account = session_account(connection, token, request.app.state.clock())
        if account:
            return account
    raise NotSignedIn


SignedIn = Annotated[Account, Depends(signed_in)]


def speech_for(request: Request, account: SignedIn) -> Speech:
    """Returns the language and the time zone of the account that is signed in."""
    settings: Settings = request.app.state.settings
    return Speech(account.language, settings.maker.zone_of(account.time_zone))


Speaking = Annotated[Speech, Depends(speech_for)]


def who_may(right: Right) -> Callable[[Account], Account]:
    """Returns a dependency on a signed-in account that has a right, which raises Forbidden for others."""

    def has_right(account: SignedIn) -> Account:
        if not may(account.role, right):
            raise Forbidden
        return account

    return has_right


@contextmanager
def owner_connection(request: Request, account: Account) -> Iterator[Connection]:
    """Yields a transaction that sees only the views of one person."""
    database: Database = request.app.state.database
    with database.pipelined() as tx:
        act_as_owner(tx, account.person_id)
        yield tx


@contextmanager
def _signed_in_owner(request: Request) -> Iterator[tuple[Account, Connection]]:
    database: Database = request.app.state.database
    token = present_token(request)
    if not token:
        raise NotSignedIn
    with database.pipelined() as tx:
        account = session_account(tx, token, request.app.state.clock())
        if account is None:
            raise NotSignedIn
        act_as_owner(tx, account.person_id)
        yield account, tx


async def signed_in_owner(request: Request) -> AbstractContextManager[tuple[Account, Connection]]:
    """Returns a context of the account that is signed in and a transaction that sees only its person's views.

    The endpoint enters it in its own thread: one connection for both, and no thread beside. Raises NotSignedIn then.
    """
    return _signed_in_owner(request)


def needs_sign_in(route: object) -> bool:
    """Whether a route has a dependency on somebody who is signed in."""
    return isinstance(route, APIRoute) and _depends_on_sign_in(route.dependant)


def _depends_on_sign_in(dependant: Dependant) -> bool:
    return any(
        each.call in {signed_in, signed_in_owner} or _depends_on_sign_in(each) for each in dependant.dependencies
    )


Mine = Annotated[AbstractContextManager[tuple[Account, Connection]], Depends(signed_in_owner)]


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


def set_session(request: Request, response: Response, session: OpenedSession) -> None:
    """Set the cookies of a new session and of the browser, and delete those of a sign-up or reset."""
    keep_session(request, response, session.token)
    settings: Settings = request.app.state.settings
    keep_cookie(request, response, browser_name(settings), session.browser, settings.browser_life)
    for name in (ticket_name(settings), reset_name(settings)):
        response.delete_cookie(name, path="/", secure=is_secure(settings), httponly=True, samesite="lax")


def keep_session(request: Request, response: Response, token: str) -> None:
    """Set the session cookie for as long as the session lives."""
    settings: Settings = request.app.state.settings
    keep_cookie(request, response, cookie_name(settings), token, settings.session_life)


def keep_cookie(request: Request, response: Response, name: str, value: str, life: timedelta) -> None:
    """Set a cookie that only requests to this host carry, and that scripts cannot read."""
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
    """Delete the session cookie."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(cookie_name(settings), path="/", secure=is_secure(settings), httponly=True, samesite="lax")
