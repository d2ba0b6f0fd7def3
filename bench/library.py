"""The rate of the libraries alone: finished messages from memory, through smtplib and through firebase-admin."""

import asyncio
import queue
import smtplib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
from firebase_admin import messaging

from gateway.config import Settings
from gateway.notify.channels.push.sender import read_account

Mails = list[tuple[str, bytes]]


def smtplib_s(settings: Settings, mails: Mails) -> float:
    """Seconds for the mails over as many connections as ours, a thread each; they are open before."""
    parts = urlsplit(settings.smtp_url or "")
    clients = [smtplib.SMTP("127.0.0.1", parts.port or 25) for _ in range(settings.smtp_connections)]
    waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    for mail in mails:
        waiting.put(mail)
    with ThreadPoolExecutor(len(clients)) as threads:
        began = time.perf_counter()
        for ended in [threads.submit(_send_all, client, waiting) for client in clients]:
            ended.result()
        seconds = time.perf_counter() - began
    for client in clients:
        client.quit()
    return seconds


def _send_all(client: smtplib.SMTP, waiting: "queue.SimpleQueue[tuple[str, bytes]]") -> None:
    client.ehlo_or_helo_if_needed()
    while True:
        try:
            to, message = waiting.get_nowait()
        except queue.Empty:
            return
        client.sendmail("support@example.com", [to], message)


def firebase_s(settings: Settings, messages: list[messaging.Message]) -> float:
    """Seconds for the messages, as many at a time as ours, by the faster of the library's two batch calls."""
    assert settings.fcm_credentials is not None  # noqa: S101 - set up by the caller
    app = firebase_admin.initialize_app(read_account(settings.fcm_credentials), name="bench")
    try:
        service: Any = messaging._get_messaging_service(app)  # noqa: SLF001 - there is no setting for the server
        project = service._project_id  # noqa: SLF001
        service._fcm_url = f"{settings.fcm_url}/v1/projects/{project}/messages:send"  # noqa: SLF001
        size = settings.send_concurrency
        batches = [messages[start : start + size] for start in range(0, len(messages), size)]
        half = max(1, len(batches) // 2)
        by_threads = _threads_s(app, batches[:half]) / half
        by_loop = asyncio.run(_loop_s(app, service, batches[half:] or batches)) / len(batches[half:] or batches)
        return min(by_threads, by_loop) * len(batches)
    finally:
        firebase_admin.delete_app(app)


def _threads_s(app: firebase_admin.App, batches: list[list[messaging.Message]]) -> float:
    began = time.perf_counter()
    for batch in batches:
        _require(messaging.send_each(batch, app=app))
    return time.perf_counter() - began


async def _loop_s(app: firebase_admin.App, service: Any, batches: list[list[messaging.Message]]) -> float:  # noqa: ANN401
    began = time.perf_counter()
    for batch in batches:
        _require(await messaging.send_each_async(batch, dry_run=False, app=app))
    seconds = time.perf_counter() - began
    await service._async_client.aclose()  # noqa: SLF001 - on the loop of its connections
    return seconds


def _require(answer: messaging.BatchResponse) -> None:
    assert answer.failure_count == 0, [each.exception for each in answer.responses]  # noqa: S101 - else it is no rate
