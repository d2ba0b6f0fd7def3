"""`gateway demo`: start everything, print the addresses, run until Ctrl-C."""

import logging
import signal
import time
from datetime import timedelta

from gateway.config import Settings
from gateway.demo import people
from gateway.demo.installation import Installation, installation, program
from gateway.demo.units import free_unit

FAILING = "hp-90/HP90-25-095247"
OTHER = "ac-24/AC24-23-002242"
_FREE = "hp-90"
_FOLLOW_UP_AFTER = timedelta(seconds=15)
"""The other channel follows this soon, and not after an hour, so that one can watch it."""

_ADDRESSES = """\

  My Products            {http}
  Staff's console        {http}/console
  Mail and pushes sent   {sent}
  MQTT 5                 {mqtt5}
  MQTT 3.1.1             {mqtt3}
  Data                   {data}

{sign_ins}
{free}
200 units publish; in half a minute Eva Silva's heat pump loses pressure, and she is told{follows}.
Make another unit fail yourself:

  {program} fault --control {control} {other} overheating --for 60s

Ctrl-C stops everything; the next start goes on with the data.
"""


def run(settings: Settings) -> int:
    """Run the demo until a signal. Returns the exit code."""
    started = time.monotonic()
    if "log_level" not in settings.model_fields_set:
        settings = settings.model_copy(update={"log_level": "WARNING"})
        logging.getLogger().setLevel(logging.WARNING)
    if "follow_up_after" not in settings.model_fields_set:
        settings = settings.model_copy(update={"follow_up_after": _FOLLOW_UP_AFTER})
    # Until the supervisor handles signals. (A background job of a script starts with SIGINT ignored.)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    print("Starting database, broker and gateway…", flush=True)
    try:
        with installation(settings) as running:
            running.wait_until_ready()
            print(f"Ready after {time.monotonic() - started:.1f} s.")
            print(_addresses(running), flush=True)
            running.start_fleet("--every", "5s", "--fault", f"{FAILING} pressure-loss at=20s for=60s")
            return running.supervisor.run_until_signal()
    except KeyboardInterrupt:
        return 0  # stopped during the start; `installation` has stopped what ran


def _free(running: Installation) -> str:
    """The lines about a unit without an owner."""
    plate = free_unit(running.database_url, running.data, _FREE)
    if plate is None:
        return ""
    return f"\n  Or sign up, and register the heat pump {plate.serial} with its claim code {plate.code}\n"


def _addresses(running: Installation) -> str:
    settings = running.settings
    return _ADDRESSES.format(
        http=running.http_url,
        sent=f"{running.http_url}/demo/outbox" if running.catcher else "by the servers that your settings name",
        free=_free(running),
        follows=f": by push, and {settings.follow_up_after.total_seconds():.0f} s later by mail"
        if running.catcher
        else "",
        mqtt5=settings.mqtt_url,
        mqtt3=f"mqtt://127.0.0.1:{settings.mqtt3_port}" if running.own_broker else "the same",
        data=settings.data_dir,
        program=program("device-sim"),
        control=running.control,
        other=OTHER,
        sign_ins=people.sign_ins(running.password),
    )
