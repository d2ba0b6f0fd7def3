"""Accounts over HTTP: sign up, confirm, sign in and out, reset, invitations."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.accounts.model import Account, OpenedSession
from gateway.accounts.rights import rights_of
from gateway.accounts.service import Accounts
from gateway.api.auth import (
    Network,
    SignedIn,
    accounts,
    browser_token,
    drop_session,
    keep_cookie,
    keep_session,
    present_token,
    reset_name,
    set_session,
    ticket_name,
)
from gateway.api.models import Problem
from gateway.api.public import account_models as models
from gateway.config import Settings
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.notify.channels.registry import sends_letters

router = APIRouter(tags=["accounts"], responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}})

Service = Annotated[Accounts, Depends(accounts)]


def clock(request: Request) -> Clock:
    """Returns the gateway's clock."""
    gateway_clock: Clock = request.app.state.clock
    return gateway_clock


Now = Annotated[Clock, Depends(clock)]


def require_mail(request: Request) -> None:
    """Refuse a request that needs a mailed code where no mail can be sent. Raises Unavailable."""
    settings: Settings = request.app.state.settings
    if not sends_letters(settings):
        raise Unavailable(
            "No mail can be sent from here yet. Whoever runs the gateway has to set GATEWAY_SMTP_URL.", code="no_mail"
        )


BY_MAIL = [Depends(require_mail)]


@router.post("/api/sign-up", status_code=202, dependencies=BY_MAIL)
def sign_up(
    request: Request, response: Response, service: Service, network: Network, now: Now, body: models.SignUp
) -> models.CodeSent:
    """Begin an account: a code is mailed to the address, and this browser may tell it."""
    settings: Settings = request.app.state.settings
    password = body.password.get_secret_value()
    ticket = service.sign_up(body.email, body.name, password, body.language, network, now())
    keep_cookie(request, response, ticket_name(settings), ticket, settings.code_life)
    return _code_sent(settings)


@router.post("/api/confirm")
def confirm(
    request: Request, response: Response, service: Service, network: Network, now: Now, body: models.Confirm
) -> models.Me:
    """Prove the address with the mailed code; the account exists from now on, and is signed in."""
    ticket = request.cookies.get(ticket_name(request.app.state.settings), "")
    session = service.confirm(body.email, body.code, ticket, network, now(), browser=browser_token(request))
    return _start_session(request, response, service, session)


@router.post("/api/sign-in")
def sign_in(
    request: Request, response: Response, service: Service, network: Network, now: Now, body: models.SignIn
) -> models.Me:
    """Sign in; whatever is wrong is answered alike."""
    password = body.password.get_secret_value()
    session = service.sign_in(body.email, password, network, now(), browser=browser_token(request))
    return _start_session(request, response, service, session)


@router.post("/api/sign-out", status_code=204)
def sign_out(request: Request, response: Response, service: Service, now: Now) -> None:
    """End this browser's session, if it has one."""
    token = present_token(request)
    if token:
        service.sign_out(token, now())
    drop_session(request, response)


@router.post("/api/sign-out-everywhere", status_code=204)
def sign_out_everywhere(request: Request, response: Response, service: Service, account: SignedIn) -> None:
    """End every session of the account, on every device, at once."""
    service.sign_out_everywhere(account)
    drop_session(request, response)


@router.post("/api/password-reset", status_code=202, dependencies=BY_MAIL)
def request_reset(
    request: Request, response: Response, service: Service, network: Network, now: Now, body: models.ResetRequest
) -> models.CodeSent:
    """Have a code mailed to choose a new password with; the same answer whether there is an account.

    Where several were mailed just now no other one is: the newest is good in this browser, too.
    """
    settings: Settings = request.app.state.settings
    ticket = service.request_reset(body.email, network, now(), browser=browser_token(request))
    if ticket:
        keep_cookie(request, response, reset_name(settings), ticket, settings.code_life)
    return _code_sent(settings)


@router.post("/api/password-reset/confirm")
def reset(
    request: Request, response: Response, service: Service, network: Network, now: Now, body: models.Reset
) -> models.Me:
    """Choose a new password with the mailed code; every session of the account ends, and this one begins."""
    password, ticket = body.password.get_secret_value(), request.cookies.get(reset_name(request.app.state.settings), "")
    browser = browser_token(request)
    session = service.reset(body.email, body.code, password, network, now(), ticket=ticket, browser=browser)
    return _start_session(request, response, service, session)


@router.post("/api/password")
def change_password(
    request: Request,
    response: Response,
    service: Service,
    account: SignedIn,
    now: Now,
    body: models.PasswordChange,
) -> models.Me:
    """Choose a new password with the present one; the account's other sessions end."""
    present, password = body.present.get_secret_value(), body.password.get_secret_value()
    session = service.change_password(account, present, password, now(), browser=browser_token(request))
    return _start_session(request, response, service, session)


@router.get("/api/me")
def me(request: Request, response: Response, account: SignedIn) -> models.Me:
    """Who is signed in; the session's life begins anew."""
    token = present_token(request)
    if token:
        keep_session(request, response, token)
    return _me(request, account)


@router.post("/api/invitations/accept")
def accept(
    request: Request, response: Response, service: Service, network: Network, now: Now, body: models.Acceptance
) -> models.Me:
    """Take an invitation with its code; a password is set, and the account is signed in."""
    password, browser = body.password.get_secret_value(), browser_token(request)
    session = service.accept(body.email, body.code, password, body.language, network, now(), browser=browser)
    return _start_session(request, response, service, session)


def _start_session(request: Request, response: Response, service: Accounts, session: OpenedSession) -> models.Me:
    old_token = present_token(request)
    if old_token:
        # The browser's old session ends, so that a planted one is of no use.
        clock: Clock = request.app.state.clock
        service.sign_out(old_token, clock())
    service.wake()
    set_session(request, response, session)
    return _me(request, session.account)


def _code_sent(settings: Settings) -> models.CodeSent:
    return models.CodeSent(minutes=int(settings.code_life.total_seconds() // 60))


def _me(request: Request, account: Account) -> models.Me:
    settings: Settings = request.app.state.settings
    return models.Me(
        id=account.public_id,
        person=account.person_public_id,
        name=account.name,
        email=account.email,
        language=account.language,
        time_zone=str(settings.maker.zone_of(account.time_zone)),
        role=account.role,
        rights=rights_of(account.role),
    )
