"""The settings of all channels, which are a part of the gateway's; imports nothing above `core`."""

from gateway.notify.channels.email import settings as email
from gateway.notify.channels.push import settings as push


class ChannelSettings(push.PushSettings, email.EmailSettings):
    """The settings of each channel; the last base comes first on the page of the settings."""


SECRETS = (*email.SECRETS,)
"""Those that are also read from the file that GATEWAY_…_FILE names."""
