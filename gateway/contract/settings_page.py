"""docs/configuration.md, made from the settings class."""

import json
import re
from datetime import timedelta
from typing import Any

from pydantic.fields import FieldInfo

from gateway.config import CONFIG_VARIABLE, SECRETS, Settings, variable
from gateway.core.duration import format_duration
from gateway.notify.channels.settings import ChannelSettings

SECTIONS = {
    "maker_name": "Maker",
    "log_level": "Server",
    "mqtt_session_expiry": "Ingest",
    "snapshot_every": "Rules, notices, events",
    "public_url": "Accounts",
    "claims_per_unit": "Registration",
    "link_secret": "Channels",
}
"""The setting with which a section begins, in the order of the class; those of each channel are in the last one."""

_HEAD = f"""\
# Settings

<!-- Made from gateway/config.py, core/maker_settings.py and notify/channels/ by `gateway schemas`; change it there. -->

A setting is read from, the first that has it counts:

1. its **environment variable**, as in the tables below. An empty one counts as not set.
2. a **file with this one secret**, as Compose and systemd hand them in. A variable names the file:
{chr(10).join(f"   - `{variable(name)}_FILE`" for name in SECRETS)}
3. the **settings file**, TOML. Name it with `gateway --config FILE …`, or in `{CONFIG_VARIABLE}`:

```toml
# The names of the tables, without GATEWAY_ and in small letters.
http_port = 8080
http_allowed_hosts = ["support.example.com"]
snapshot_every = "30s"
```

4. its default.

Write spans as `30s`, `5m`, `1h30m`, `2d`. In variables write lists as JSON. A value that cannot be, or a name that is
no setting, ends every command with one clear text and exit code 78; the text names the nearest setting. That goes for
all variables that begin with `GATEWAY_`. (Kubernetes makes such variables by itself for a service named `gateway`: give
the service another name, or set `enableServiceLinks: false`.)

Try the settings with `gateway check`: [operating.md](operating.md#gateway-check).
"""


def page() -> str:
    """The whole page; the same class gives the same bytes."""
    lines = [_HEAD]
    of_channels = ChannelSettings.model_fields
    fields = {name: field for name, field in Settings.model_fields.items() if name not in of_channels}
    for name, field in (fields | of_channels).items():
        if name in SECTIONS:
            lines.append(f"\n## {SECTIONS[name]}\n\n| Setting | Default | Meaning |\n|---|---|---|")
        lines.append(f"| `{variable(name)}` | {_default(field)} | {_meaning(field)} |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    return f"`{json.dumps(value) if isinstance(value, list) else value}`"


def _meaning(field: FieldInfo) -> str:
    """The description; settings that it names stand there as variables."""
    return re.sub(
        r"`(\w+)`",
        lambda found: f"`{variable(found[1])}`" if found[1] in Settings.model_fields else found[0],
        field.description or "",
    )
