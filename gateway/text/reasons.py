"""Reasons in the words of their reader."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gateway.core.reason import Reason
from gateway.text.speech import Speech

_BY_NAME: Mapping[str, Callable[[Speech, Any], str]] = {
    "channel": lambda say, channel: say(f"channel-{channel}"),
    "missing": lambda say, channel: say(f"channel-{channel}-missing"),
    "since": lambda say, moment: say.day(datetime.fromisoformat(moment)),
}
"""How parameters of these names are written; others are reasons themselves, numbers, or another's words."""


def reason_text(reason: str | None, say: Speech) -> str:
    """Returns a stored reason in the reader's language: inside of a sentence, without a full stop."""
    document = Reason(reason or "").document()
    return (reason or "") if document is None else _text(document, say)


def reason_sentence(reason: str | None, say: Speech) -> str:
    """The same as a sentence of its own; empty where there is no reason."""
    text = reason_text(reason, say)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _text(document: Mapping[str, Any], say: Speech) -> str:
    code, parameters = document["code"], {name: value for name, value in document.items() if name != "code"}
    key = "reason-" + code
    # One of a newer version, read by an older one while both run.
    return say(key, **{name: _value(name, value, say) for name, value in parameters.items()}) if key in say else code


def _value(name: str, value: Any, say: Speech) -> str | int:  # noqa: ANN401 - as it was stored
    if isinstance(value, Mapping):
        return _text(value, say)
    write = _BY_NAME.get(name)
    written: str | int = value if write is None else write(say, value)
    return written
