"""Mail servers whose certificate nobody vouches for: encrypted where that is enough, refused where a password goes."""

import asyncio
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.notify.channels.email.check import probe_mail
from gateway.notify.channels.email.mailer import Mailer
from gateway.notify.mail import Mail
from gateway.notify.model import Answer, Delivered, Retry
from tests.dsl.certificates import self_signed
from tests.dsl.smtp import MailServer, mail_server

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
"""The second one is on this machine too, but not one of the names by which the gateway knows that."""
SENDER = "support@example.com"


def clock():
    return datetime.now(UTC)


@contextmanager
def server(folder: Path, host: str) -> Iterator[tuple[MailServer, Path]]:
    """Offers STARTTLS with a certificate of its own making, as Debian's Postfix does when it is installed."""
    certificate, context = self_signed(folder, host)
    with mail_server(host, context) as mails:
        yield mails, certificate
    with warnings.catch_warnings():
        # A handshake that fails leaves the test server's own transport to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def send(mails: MailServer, *, user: str = "", ca: Path | None = None) -> Answer:
    mail = Mail("ada@example.org", "Your code", "text", "<p>text</p>", {}, "key")
    url = mails.url.replace("://", f"://{user}")
    return asyncio.run(_send(Mailer(url, SENDER, 10, clock, ca=ca), mail))


async def _send(mailer: Mailer, mail: Mail) -> Answer:
    answer = await mailer.send(mail)
    await mailer.close()
    return answer


@pytest.mark.parametrize("host", [HERE, ELSEWHERE])
def test_without_a_password_mail_is_sent_encrypted_to_whoever_answers(tmp_path, host):
    with server(tmp_path, host) as (mails, _):
        assert isinstance(send(mails), Delivered)
    assert mails.encrypted == [True]


def test_a_password_on_this_machine_goes_there_encrypted(tmp_path):
    with server(tmp_path, HERE) as (mails, _):
        assert isinstance(send(mails, user="gateway:secret@"), Delivered)
    assert (mails.encrypted, mails.passwords) == ([True], [b"secret"])


def test_a_password_for_another_machine_is_not_told_to_who_cannot_be_checked(tmp_path):
    with server(tmp_path, ELSEWHERE) as (mails, certificate):
        refused = send(mails, user="gateway:secret@")
        assert isinstance(refused, Retry)
        assert "certificate" in refused.reason
        assert mails.passwords == []
        assert isinstance(send(mails, user="gateway:secret@", ca=certificate), Delivered)
    assert (mails.encrypted, mails.passwords) == ([True], [b"secret"])


@pytest.mark.parametrize("host", [HERE, ELSEWHERE])
def test_with_an_authority_the_certificate_is_checked_also_without_a_password(tmp_path, host):
    (tmp_path / "other").mkdir()
    other, _ = self_signed(tmp_path / "other", host)
    with server(tmp_path, host) as (mails, certificate):
        assert isinstance(send(mails, ca=other), Retry)
        assert isinstance(send(mails, ca=certificate), Delivered)
    assert mails.encrypted == [True]


def test_with_an_authority_a_server_without_tls_gets_nothing(tmp_path):
    certificate, _ = self_signed(tmp_path, HERE)
    with mail_server() as mails:
        assert isinstance(send(mails, ca=certificate), Retry)
    assert mails.mails == []


@pytest.mark.parametrize(
    ("host", "user", "with_ca", "state", "told", "change"),
    [
        (HERE, "", False, "ok", "encrypted, certificate not checked, without sign-in", ""),
        (ELSEWHERE, "", False, "warning", "encrypted, certificate not checked, without sign-in", "GATEWAY_SMTP_CA"),
        (ELSEWHERE, "gateway:secret@", True, "ok", "encrypted, certificate checked, signed in as gateway", ""),
        (ELSEWHERE, "gateway:secret@", False, "problem", "certificate verify failed", "GATEWAY_SMTP_CA"),
    ],
)
def test_the_check_says_which_it_is(tmp_path, host, user, with_ca, state, told, change):
    with server(tmp_path, host) as (mails, certificate):
        url = mails.url.replace("://", f"://{user}")
        finding = probe_mail(url, SENDER, 10, clock, ca=certificate if with_ca else None)
    assert finding.state == state
    assert told in finding.measured
    assert change in (finding.change or "")
