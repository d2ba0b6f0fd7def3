"""Every channel, a line each. The rest of the gateway knows channels by this list only."""

from typing import TYPE_CHECKING

from gateway.notify.channels.channel import ChannelKind, LetterCarrier
from gateway.notify.channels.email.channel import Email
from gateway.notify.channels.push.channel import Push
from gateway.text import Speech

if TYPE_CHECKING:
    from gateway.config import Settings

CHANNELS: dict[str, ChannelKind] = {kind.name: kind for kind in (Email(), Push())}


def default_order() -> list[str]:
    """Returns the order in which people are told before anything is known of them."""
    return sorted(CHANNELS, key=lambda name: CHANNELS[name].default_place)


def set_up(settings: "Settings") -> tuple[str, ...]:
    """Returns the names of the channels that this installation has."""
    return tuple(name for name, kind in CHANNELS.items() if kind.is_set_up(settings))


def sends_letters(settings: "Settings") -> bool:
    """Whether this installation can send codes and invitations."""
    return any(isinstance(kind, LetterCarrier) and kind.is_set_up(settings) for kind in CHANNELS.values())


def sign_in_channel() -> str:
    """Returns the channel with whose address people sign in."""
    return next(name for name, kind in CHANNELS.items() if kind.is_sign_in)


def device_channel() -> str:
    """Returns the channel for which people register devices."""
    return next(name for name, kind in CHANNELS.items() if kind.has_devices)


def name_in(channel: str, say: Speech) -> str:
    """Returns the channel's name as people read it."""
    return say(f"channel-{channel}")


def known(channel: str) -> str:
    """Returns the name of a channel; raises ValueError for one that there is not."""
    if channel not in CHANNELS:
        raise ValueError(f"There is no channel named {channel!r}; there are {', '.join(CHANNELS)}.")
    return channel
