"""Every setting and every limit, in one class, read from GATEWAY_* variables, secret files and a settings file.

Those of the maker stand in `core/maker_settings.py`, those of each channel in its folder.
"""

import os
import tomllib
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.core.duration import Duration
from gateway.core.errors import BadInput
from gateway.core.maker_settings import MakerSettings
from gateway.notify.channels.settings import SECRETS as CHANNEL_SECRETS
from gateway.notify.channels.settings import ChannelSettings

PREFIX = "GATEWAY_"
CONFIG_VARIABLE = "GATEWAY_CONFIG"
"""Names the settings file."""
SECRETS = ("database_url", "mqtt_url", "link_secret", *CHANNEL_SECRETS)
"""Also read from the file that GATEWAY_…_FILE names."""
_NO_SETTINGS = (CONFIG_VARIABLE, "GATEWAY_NO_WEB")  # the second is hatch_build.py's


class Settings(MakerSettings, ChannelSettings, BaseSettings):
    """What an operator may set; the defaults are safe for one machine on loopback."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="What the roles log.")
    log_format: Literal["text", "json"] = Field("text", description="Log lines as text, or one JSON object each.")
    metrics_host: str = Field("127.0.0.1", description="Where each role serves its metrics; they ask for no sign-in.")
    metrics_port_ingest: int = Field(9471, ge=0, le=65535, description="Port of ingest's `/metrics`; 0 is none.")
    metrics_port_worker: int = Field(9472, ge=0, le=65535, description="Port of worker's `/metrics`; 0 is none.")
    metrics_port_api: int = Field(9473, ge=0, le=65535, description="Port of api's `/metrics`; 0 is none.")
    data_dir: Path = Field(Path(".gateway"), description="Where the embedded servers keep their data.")
    database_url: str | None = Field(
        None, repr=False, description="PostgreSQL URL; without one `gateway demo` starts its own."
    )
    mqtt_url: str = Field(
        "mqtt://127.0.0.1:1883",
        repr=False,
        description="The broker's MQTT 5 listener: `mqtt://[USER:PASSWORD@]HOST:PORT`.",
    )
    mqtt_client_id: str = Field("gateway-ingest", description="Names the durable session at the broker.")
    http_host: str = Field("127.0.0.1", description="Where the pages and the API listen.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the pages and the API.")
    http_allowed_hosts: list[str] = Field(
        ["127.0.0.1", "localhost"], description="Host names a request may carry; others are refused (DNS rebinding)."
    )
    http_body_max_bytes: int = Field(65_536, ge=1_024, description="Bytes of one request's body; more is refused.")
    http_draft_max_bytes: int = Field(
        4_194_304,
        ge=1_024,
        description="The same for a campaign's draft with its list of serials, from who may write one.",
    )
    http_bodies_max_bytes: int = Field(
        33_554_432, ge=65_536, description="Bytes of all bodies held at one moment; a quarter of it for one network."
    )
    http_request_wait: Duration = Field(
        timedelta(seconds=10),
        description="A request's head must be there within this; a body must keep its rate over it.",
    )
    http_body_rate: int = Field(
        4_096, ge=1, description="Bytes a second at which a body must come; slower ones are cut."
    )
    http_answer_wait: Duration = Field(
        timedelta(seconds=60), description="How long a client may leave an answer, or a stream, unread."
    )
    http_connections_max: int = Field(
        6_000, ge=2, description="Open HTTP connections, streams too; of more the one without a request goes."
    )
    http_connections_per_network: int = Field(
        200, ge=1, description="The same for one network; a proxy that is trusted (FORWARDED_ALLOW_IPS) is not counted."
    )
    mqtt5_port: int = Field(1883, description="Embedded broker: port of the MQTT 5 listener.")
    mqtt3_port: int = Field(1884, description="Embedded broker: port of the MQTT 3.1.1 listener.")

    mqtt_session_expiry: Duration = Field(timedelta(days=7), description="How long the broker keeps our backlog.")
    mqtt_receive_maximum: int = Field(5_000, ge=1, le=65535, description="Unacknowledged messages in flight to us.")
    mqtt_packet_max_bytes: int = Field(
        1_048_576, ge=1_024, description="Of one message; the broker is asked to withhold larger ones, unrefused."
    )
    queue_max_messages: int = Field(20_000, ge=1, description="Messages held in memory; then reading stops.")
    queue_max_bytes: int = Field(64_000_000, ge=1, description="Bytes of messages held in memory; then reading stops.")
    batch_max_messages: int = Field(5_000, ge=1, description="Messages in one micro-batch.")
    batch_max_bytes: int = Field(
        8_000_000, ge=1, description="Bytes of messages in one micro-batch; a larger message is one of its own."
    )
    batch_max_readings: int = Field(
        50_000, ge=1, description="The message that brings a micro-batch to so many readings is its last."
    )
    batch_max_wait: Duration = Field(timedelta(milliseconds=50), description="How long a micro-batch is collected.")
    broker_watch_every: Duration = Field(
        timedelta(seconds=30), description="How often the broker is asked what it dropped."
    )
    payload_max_bytes: int = Field(65_536, ge=64, description="Larger telemetry messages go to quarantine.")
    message_max_readings: int = Field(5_000, ge=1, description="Readings in one message.")
    message_max_days: int = Field(
        31, ge=1, description="Different UTC days in one message; readings of more are refused."
    )
    clock_ahead_max: Duration = Field(timedelta(minutes=10), description="Device times further ahead are quarantined.")
    history_max: Duration = Field(
        timedelta(days=400),
        description="Readings are kept so long, and older ones quarantined, unless the product says otherwise.",
    )
    hour_history: Duration = Field(
        timedelta(days=730), description="Readings by hour are kept so long, unless the product says otherwise."
    )
    day_history: Duration = Field(
        timedelta(days=3650), description="Readings by day are kept so long, unless the product says otherwise."
    )
    quarantine_max_messages: int = Field(
        10_000, ge=1, description="Quarantined messages kept; the oldest of those units go first that have most."
    )
    quarantine_per_unit: int = Field(
        100, ge=1, description="Quarantined messages kept of one unit; older ones of it are only counted."
    )
    quarantine_payload_bytes: int = Field(4_096, ge=1, description="How much of a refused payload is kept.")

    receipts_per_second: int = Field(1_000, ge=1, description="Receipts published in a second at most; more wait.")
    receipt_gaps_max: int = Field(
        100, ge=0, description="Gaps in a unit's numbers; what lies behind more of them has to be sent again."
    )

    import_max_rows: int = Field(5_000_000, ge=1, description="Rows that one `gateway import` takes.")
    jobs_kept: Duration = Field(timedelta(days=30), description="How long jobs that ended are listed.")

    snapshot_every: Duration = Field(
        timedelta(seconds=30), description="In this time all rule state is saved, part by part."
    )
    historic_after: Duration = Field(
        timedelta(hours=1), description="An alarm that could have been raised longer ago than this is told to nobody."
    )
    merge_window: Duration = Field(
        timedelta(hours=1), description="A rule that fires again on a unit within this joins the notice it has."
    )
    notices_per_hour: int = Field(20, ge=1, description="Notices one person is told in an hour; further ones wait.")
    notice_history: Duration = Field(
        timedelta(days=3650),
        description="Notices of alarms that are over are forgotten after this; those of campaigns are kept.",
    )
    alarm_history: Duration = Field(
        timedelta(days=3650),
        description="Cleared alarms that no notice tells of any more are forgotten after this.",
    )
    alarm_acts_max: int = Field(
        200, ge=10, description="Acts of the staff on one alarm; then it can only be acknowledged or resolved."
    )
    delivery_history: Duration = Field(
        timedelta(days=400), description="Tries of deliveries, and phones that were retired, are forgotten after this."
    )
    letter_history: Duration = Field(
        timedelta(days=90),
        description="Letters (codes, invitations) that were sent or failed are forgotten so late.",
    )
    engagement_history: Duration = Field(
        timedelta(days=730),
        description="What people opened, but for campaigns, is forgotten after this.",
    )
    look_history: Duration = Field(
        timedelta(days=730), description="Who of the staff looked at which record is forgotten after this."
    )
    looks_max: int = Field(5_000_000, ge=1, description="Looks of the staff that are kept; the oldest go first.")
    note_history: Duration = Field(
        timedelta(days=3650), description="Notes and calls in the records of units and people are forgotten after this."
    )
    notes_max: int = Field(
        1_000, ge=1, description="Notes and calls kept of one unit, and of one person; the oldest go first."
    )
    notify_batch: int = Field(
        1_000, ge=1, description="Events, alarms, or units of campaigns, that one turn of the worker takes together."
    )
    outbox_batch: int = Field(
        200,
        ge=1,
        description="Deliveries that are taken at once. Where as many wait for their record, further ones wait too.",
    )
    wakeup_fallback: Duration = Field(timedelta(seconds=1), description="Longest wait for a lost wake-up.")

    event_history: Duration | None = Field(
        None, description="Events older than this are dropped by whole months, once every reader had them; none: never."
    )
    events_at_once: int = Field(500, ge=1, description="Events the stream reads from the log at once.")
    streams_max: int = Field(5_000, ge=1, description="Open event streams; each is a connection, and an open file.")
    stream_queue_max: int = Field(1_000, ge=1, description="Events a slow stream may lag; then it must reconnect.")

    # accounts
    public_url: str = Field(
        "http://127.0.0.1:8080", description="Where people reach the gateway; https makes cookies Secure."
    )
    session_life: Duration = Field(timedelta(days=30), description="A browser that is not used so long is signed out.")
    sessions_max: int = Field(
        20, ge=1, description="Browsers one account is signed in with; the longest unused go first."
    )
    code_life: Duration = Field(timedelta(minutes=15), description="How long a mailed code is good.")
    code_tries: int = Field(
        5, ge=1, description="Wrong codes of the browser that asked for one, or of another network, within `code_life`."
    )
    code_tries_per_address: int = Field(
        30, ge=1, description="Wrong codes for one address in an hour from all browsers that did not ask for one."
    )
    invitation_life: Duration = Field(timedelta(days=7), description="How long an invitation's code is good.")
    sign_in_tries: int = Field(10, ge=1, description="Wrong passwords for one address within `tries_window`.")
    network_tries: int = Field(50, ge=1, description="Wrong passwords or codes from one network within `tries_window`.")
    tries_window: Duration = Field(timedelta(minutes=15), description="The window of the limits on tries.")
    codes_per_address: int = Field(
        5,
        ge=1,
        description="Codes mailed to one address in an hour at any time; of more, one in each half `code_life`.",
    )
    codes_per_network: int = Field(30, ge=1, description="Codes one network may have mailed in an hour.")
    browsers_max: int = Field(
        20, ge=1, description="Browsers one account is known from, which have limits of their own; the oldest go first."
    )
    browser_life: Duration = Field(
        timedelta(days=180), description="A browser that was not signed in to for so long is not known any more."
    )
    hashes_at_once: int = Field(2, ge=1, description="Passwords hashed at the same time; each takes 64 MB.")

    # registration
    claims_per_unit: int = Field(
        10, ge=1, description="Wrong claims of one serial by one account within `claims_window`."
    )
    claims_per_account: int = Field(10, ge=1, description="Wrong claims of one account within `claims_window`.")
    claims_per_network: int = Field(
        50, ge=1, description="Wrong claims from one network within `claims_window`; then each account there has three."
    )
    claims_window: Duration = Field(timedelta(hours=1), description="The window of the limits on claims.")
    last_message_bytes: int = Field(1_024, ge=1, description="How much of a unit's last messages is kept for its page.")
    last_messages_per_second: int = Field(
        500, ge=1, description="Messages kept for the units' pages; of more than that some are left out."
    )
    person_streams_max: int = Field(10, ge=1, description="Open event streams of one person.")
    stream_life: Duration = Field(
        timedelta(hours=1),
        description="An event stream ends after this and comes back; its session is looked at again.",
    )

    # channels
    link_secret: str | None = Field(
        None, min_length=32, repr=False, description="Signs the links; without one the database keeps a random key."
    )
    send_timeout: Duration = Field(timedelta(seconds=20), description="Longest wait for a provider's answer.")
    send_concurrency: int = Field(
        100, ge=1, le=500, description="Messages that are on their way at once on each channel."
    )
    send_attempts: int = Field(8, ge=1, description="Tries of one delivery on one channel; then the next channel.")
    retry_first: Duration = Field(timedelta(seconds=10), description="Pause after the first try; then it doubles.")
    retry_max: Duration = Field(
        timedelta(minutes=30), description="Longest pause between tries, unless the provider asks for more."
    )
    claim_timeout: Duration = Field(
        timedelta(minutes=2), description="A delivery claimed longer ago was left by a worker that ended."
    )
    follow_up_after: Duration = Field(
        timedelta(hours=1), description="The other channel follows when a warning was not opened within this."
    )
    demo_outbox: Path | None = Field(None, description="The demo's caught mail and pushes, shown at /demo/outbox.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not read
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before variables, before secret files, before the settings file; raises BadInput on other names."""
        in_file = _read_settings_file()
        _require_known_names(settings_cls.model_fields, in_file)
        return (
            init_settings,
            env_settings,
            InitSettingsSource(settings_cls, _read_secret_files()),
            InitSettingsSource(settings_cls, in_file),
        )

    @field_validator("mqtt_url")
    @classmethod
    def _mqtt_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise ValueError("write it as mqtt://HOST:PORT or mqtt://USER:PASSWORD@HOST:PORT")
        return url

    @cached_property
    def mqtt_address(self) -> tuple[str, int]:
        """Host and port of the broker."""
        parts = urlsplit(self.mqtt_url)
        return parts.hostname or "127.0.0.1", parts.port or 1883

    @cached_property
    def mqtt_credentials(self) -> tuple[str, str] | None:
        """User and password at the broker, if the URL has them."""
        parts = urlsplit(self.mqtt_url)
        return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("write it as https://HOST, without a query")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _claims_outlive_sending(self) -> Self:
        if self.claim_timeout <= 3 * self.send_timeout:
            raise ValueError("claim_timeout must be longer than 3 send_timeouts: what is still being sent is not lost")
        return self


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def _read_settings_file() -> dict[str, Any]:
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"The settings file {path} cannot be read: {error}") from error


def _read_secret_files() -> dict[str, str]:
    """A trailing line break is the editor's, not the secret's."""
    secrets = {}
    for name in SECRETS:
        path = os.environ.get(f"{variable(name)}_FILE")
        if path:
            try:
                secrets[name] = Path(path).read_text("utf-8").rstrip("\r\n")
            except (OSError, ValueError) as error:
                raise BadInput(f"{variable(name)}_FILE: {path} cannot be read: {error}") from error
    return secrets


def _require_known_names(fields: Iterable[str], in_file: Iterable[str]) -> None:
    """Raise BadInput where a variable or a line of the file means no setting: a typing error would change nothing."""
    names = list(fields)
    variables = [*map(variable, names), *(f"{variable(name)}_FILE" for name in SECRETS)]
    given = sorted(name for name in os.environ if name.upper().startswith(PREFIX))
    problems = [
        f"{name}: there is no such setting{_nearest(name.upper(), variables)}"
        for name in given
        if name.upper() not in {*variables, *_NO_SETTINGS} and not name.startswith("GATEWAY_TEST_")
    ]
    problems += [
        f"{name} (in {os.environ[CONFIG_VARIABLE]}): there is no such setting{_nearest(name, names)}"
        for name in in_file
        if name not in names
    ]
    if problems:
        raise BadInput("The settings are wrong:", problems)


def _nearest(name: str, known: list[str]) -> str:
    """Compared without the prefix, in which all are alike."""
    by_name = {each.removeprefix(PREFIX): each for each in known}
    near = get_close_matches(name.removeprefix(PREFIX), by_name, n=1)
    return f"; did you mean {by_name[near[0]]}?" if near else ""
