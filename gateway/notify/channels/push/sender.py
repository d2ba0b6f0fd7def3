"""Channel `push`: Firebase Cloud Messaging through firebase-admin, one message a phone, its own retries off.

firebase-admin has no settings for what we need, so four names of its version 7 that begin with an underscore are used
here and nowhere else. One message a call: in its batches one refused token makes every outcome unknown.
"""

import asyncio
import json
import secrets
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import firebase_admin
import httpx
from firebase_admin import credentials, exceptions, messaging
from google.auth.exceptions import GoogleAuthError
from google.auth.transport import requests as google_requests

from gateway.core.clock import Clock
from gateway.core.errors import BadInput
from gateway.core.reason import Reason
from gateway.notify.channels.push.http import FirebaseHttp
from gateway.notify.compose import notice_push
from gateway.notify.links import Links
from gateway.notify.model import Address, Answer, Delivered, Delivery, Failed, Retry, Unknown

_URGENT = ("critical", "safety")
_FRESH = timedelta(minutes=1)
_LATER = (401, 403, 408, 429)
"""Refused, but not for the phone's sake: our credentials, our project, our pace."""


class FcmChannel:
    """Pushes as one Firebase project; make it on the event loop that sends."""

    name = "push"

    def __init__(self, account: Path, url: str | None, timeout_s: float, links: Links, clock: Clock) -> None:
        self._links = links
        self._clock = clock
        self._timeout_s = timeout_s
        self._app = firebase_admin.initialize_app(
            read_account(account), {"httpTimeout": timeout_s}, name=f"gateway-{secrets.token_hex(4)}"
        )
        self._service: Any = messaging._get_messaging_service(self._app)  # noqa: SLF001
        self._token = self._service._credential  # noqa: SLF001
        if url:
            project = self._service._project_id  # noqa: SLF001
            self._service._fcm_url = f"{url.rstrip('/')}/v1/projects/{project}/messages:send"  # noqa: SLF001
        self._first_client = self._service._async_client  # noqa: SLF001
        self._client = FirebaseHttp(self._access_token, timeout_s)
        self._service._async_client = self._client  # noqa: SLF001
        self._signing = asyncio.Lock()

    async def send(self, delivery: Delivery, address: Address) -> Answer:
        """Send to one phone."""
        try:
            batch = await messaging.send_each_async(
                [push_message(delivery, address, self._links)], dry_run=False, app=self._app
            )
        except exceptions.FirebaseError as error:
            return self._answer(error)
        response = batch.responses[0]
        if response.success:
            return Delivered(Reason.of("push-taken"), response.message_id)
        if response.exception is None:
            return Unknown(Reason.of("push-no-number"))
        return self._answer(response.exception)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._first_client.aclose()
        # In a thread: it closes the (closed) client once more, on a loop of its own.
        await asyncio.to_thread(firebase_admin.delete_app, self._app)

    async def _access_token(self, *, renewed: bool = False) -> str:
        """Get the access token off the loop: google-auth only knows how to block, and a hanging one stops nobody."""
        earlier = self._token.token
        async with self._signing:
            is_another = self._token.token != earlier
            if not (self._is_fresh() and (is_another or not renewed)):
                request = google_requests.Request()
                await asyncio.to_thread(self._token.refresh, partial(request, timeout=self._timeout_s))
            return str(self._token.token)

    def _is_fresh(self) -> bool:
        expiry = self._token.expiry
        return bool(self._token.valid and expiry and expiry.replace(tzinfo=UTC) - self._clock() > _FRESH)

    def _answer(self, error: exceptions.FirebaseError) -> Answer:
        """What an error says about the message: not taken (later, or never), or nobody knows."""
        if isinstance(error, messaging.UnregisteredError):
            return Failed(Reason.of("push-gone"), retire_address=True)
        if isinstance(error, messaging.SenderIdMismatchError):
            return Failed(Reason.of("push-other-app"), retire_address=True)
        if error.http_response is None:
            return _unanswered(error)
        reason = Reason.of("push-said", answer=f"{error.code}: {' '.join(str(error).split())[:200]}")
        status = error.http_response.status_code
        if status in _LATER or status >= 500:
            return Retry(reason, retry_after(error.http_response.headers.get("Retry-After"), self._clock()))
        return Failed(reason)


def push_message(delivery: Delivery, address: Address, links: Links) -> messaging.Message:
    """Returns the message to one phone; a phone replaces an earlier one of the same notice."""
    title, body, data = notice_push(delivery, links)
    urgent = delivery.severity in _URGENT
    message = messaging.Message(
        data=data,
        notification=messaging.Notification(title=title, body=body),
        android=messaging.AndroidConfig(
            priority="high" if urgent else "normal",
            collapse_key=delivery.notice,
            notification=messaging.AndroidNotification(tag=delivery.notice),
        ),
        apns=messaging.APNSConfig(
            headers={"apns-collapse-id": delivery.notice, "apns-priority": "10" if urgent else "5"},
            payload=messaging.APNSPayload(aps=messaging.Aps(thread_id=delivery.notice)),
        ),
        webpush=messaging.WebpushConfig(
            headers={"Urgency": "high" if urgent else "normal"},
            notification=messaging.WebpushNotification(tag=delivery.notice),
        ),
    )
    # Not in the constructor, which warns of every `token`; phones with the older SDK have nothing else.
    setattr(message, address.kind, address.value)
    return message


def read_account(path: Path) -> credentials.Certificate:
    """The service account of a file; raises BadInput where it is none."""
    try:
        return credentials.Certificate(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise BadInput(f"GATEWAY_FCM_CREDENTIALS: {path} is not a service account file ({error}).") from error


def _unanswered(error: exceptions.FirebaseError) -> Answer:
    """Without an answer it is surely not taken only when it was never sent."""
    if isinstance(error.cause, GoogleAuthError):
        return Retry(Reason.of("push-credentials", error=str(error.cause)[:200]))
    if isinstance(error.cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Retry(Reason.of("push-unreachable"))
    cause = type(error.cause or error).__name__
    return Unknown(Reason.of("push-unconfirmed", error=cause))


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """The pause that a provider asks for, in seconds or until a date; None when it asks for none."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return timedelta(seconds=min(int(header), 10**7))
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(until.astimezone(UTC) - now, timedelta())
