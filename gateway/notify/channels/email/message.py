"""Puts a mail together for the wire: headers, then the text and the HTML, both in quoted-printable."""

import re
from binascii import b2a_qp
from collections.abc import Iterable
from email import policy
from functools import lru_cache

from gateway.core.mailbox import is_plain
from gateway.notify.mail import Mail

# Links stay in one piece: mailboxes do not read a List-Unsubscribe that was folded into encoded words.
_LINES = policy.SMTP.clone(max_line_length=998)
_LETTERS = _LINES.clone(utf8=True)
_AS_IT_IS = re.compile(r"[ -~]{1,900}")
_BOUNDARY = b"=_alternative"
"""In quoted-printable no line begins with --=_."""
_END = b"--" + _BOUNDARY + b"--\r\n"


def message_bytes(mail: Mail, to: str, sender: str, key: str, date: str) -> bytes:
    """Returns the mail with CRLF at the end of each line. Raises ValueError where it cannot be put together."""
    headers = [
        ("From", sender),
        ("To", to),
        ("Subject", " ".join(mail.subject.split())),
        ("Date", date),
        ("Message-ID", f"<{key}>"),
        ("Auto-Submitted", "auto-generated"),
        *mail.headers.items(),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY.decode()}"'),
    ]
    parts = [*_lines(headers, is_plain(to)), b"\r\n", *_part("plain", mail.text), *_part("html", mail.html)]
    return b"".join([*parts, _END])


def for_data(message: bytes) -> bytes:
    """Returns what DATA sends of a message: lines that begin with a dot get another one, and a dot ends it."""
    return message.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _lines(headers: Iterable[tuple[str, str]], plain: bool) -> Iterable[bytes]:  # noqa: FBT001
    for name, value in headers:
        if _AS_IT_IS.fullmatch(value) and "=?" not in value:
            yield f"{name}: {value}\r\n".encode("ascii")
        else:
            yield _folded(name, value, plain)


@lru_cache(maxsize=256)
def _folded(name: str, value: str, plain: bool) -> bytes:  # noqa: FBT001
    """Other letters, or a long line; the subject of a recall is the same for thousands."""
    lines = _LINES if plain else _LETTERS
    return lines.fold_binary(*lines.header_store_parse(name, value))


def _part(kind: str, text: str) -> tuple[bytes, ...]:
    lines = text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8")
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'.encode()
    end = b"" if lines.endswith(b"\r\n") else b"\r\n"
    return b"--" + _BOUNDARY + b"\r\n", head, b2a_qp(lines), end
