"""`gateway demo --check`: plays the demo's story automatically, on separate data and ports."""

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

_REPLACED = ("mqtt_url", "public_url", "smtp_url", "fcm_credentials")
_FOLLOW_UP_AFTER = timedelta(seconds=1)
"""The other channel follows this soon, so that the story sees both."""


def check(settings: Settings, *, as_json: bool) -> int:
    """Play the story and print each step. Returns the exit code: 1 after a failed step, else 0."""
    started = time.monotonic()
    logging.getLogger().setLevel(logging.WARNING)
    failure: str | None = None
    story = Story()
    with tempfile.TemporaryDirectory(prefix="gateway-check-") as folder:
        # If we are root, the database runs as another account, which must be able to enter the folder.
        Path(folder).chmod(0o755)
        own_settings = settings.model_copy(
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
        # Do not use servers that the operator named: the story's messages must not leave the machine.
        own_settings.model_fields_set.difference_update(_REPLACED)
        try:
            with installation(own_settings) as running:
                story.play(running)
        except StoryFailed as error:
            failure = str(error)
        except GatewayError as error:
            failure = f"start: {error}"
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        steps = [{"step": step.name, "ms": step.ms, "found": step.found} for step in story.steps]
        print(json.dumps({"ok": failure is None, "failed": failure, "seconds": seconds, "steps": steps}, indent=2))
    else:
        for step in story.steps:
            print(f"{step.ms:8.0f} ms  {step.name}: {step.found}")
        print(f"The story took {seconds} s.")
    if failure:
        print(f"gateway: the check failed at {failure}", file=sys.stderr)
    return 1 if failure else 0
