"""`gateway demo --check`: the demo's story, played without a person on data and ports of its own."""

import json
import logging
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from gateway.config import Settings
from gateway.core.errors import GatewayError
from gateway.demo.installation import installation
from gateway.demo.scene import StoryFailed
from gateway.demo.story import Story
from gateway.roles.process import free_port

_OWN = ("mqtt_url", "public_url", "smtp_url", "fcm_credentials")
_FOLLOW_UP_AFTER = timedelta(seconds=1)
"""So soon the other channel follows: the story sees both."""


def check(settings: Settings, *, as_json: bool) -> int:
    """Play the story and print each step; answers 0, or 1 after saying which step failed."""
    started = time.monotonic()
    logging.getLogger().setLevel(logging.WARNING)
    failed: str | None = None
    story = Story()
    with tempfile.TemporaryDirectory(prefix="gateway-check-") as folder:
        # Where we are root, the database's account has to get through.
        Path(folder).chmod(0o755)
        own = settings.model_copy(
            update={
                "data_dir": Path(folder),
                "database_url": None,
                "http_host": "127.0.0.1",
                "http_port": free_port(),
                "mqtt5_port": free_port(),
                "mqtt3_port": free_port(),
                "http_allowed_hosts": ["127.0.0.1"],
                "log_level": "WARNING",
                "follow_up_after": _FOLLOW_UP_AFTER,
            }
        )
        # Servers that the operator named are not for playing: it is told to nobody outside.
        own.model_fields_set.difference_update(_OWN)
        try:
            with installation(own) as running:
                story.play(running)
        except StoryFailed as error:
            failed = str(error)
        except GatewayError as error:
            failed = f"start: {error}"
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        steps = [{"step": step.name, "ms": step.ms, "found": step.found} for step in story.steps]
        print(json.dumps({"ok": failed is None, "failed": failed, "seconds": seconds, "steps": steps}, indent=2))
    else:
        for step in story.steps:
            print(f"{step.ms:8.0f} ms  {step.name}: {step.found}")
        print(f"The story took {seconds} s.")
    if failed:
        print(f"gateway: the check failed at {failed}", file=sys.stderr)
    return 1 if failed else 0
