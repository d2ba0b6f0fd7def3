"""The channels that an installation has, by its settings."""

from gateway.config import Settings
from gateway.notify.network import EMAIL, PUSH


def channels_of(settings: Settings) -> tuple[str, ...]:
    """Returns the channels outside the feed that these settings set up."""
    email = (EMAIL,) if settings.smtp_url else ()
    return email + ((PUSH,) if settings.fcm_credentials else ())
