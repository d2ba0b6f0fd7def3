"""Every setting and every limit, in one class, read from GATEWAY_* variables."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.core.duration import Duration


class Settings(BaseSettings):
    """What an operator may set; the defaults are safe for one machine on loopback."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="What the roles log.")
    data_dir: Path = Field(Path(".gateway"), description="Where the embedded servers keep their data.")
    database_url: str | None = Field(None, description="PostgreSQL URL; without one `gateway demo` starts its own.")
    mqtt_url: str = Field(
        "mqtt://127.0.0.1:1883", description="The broker's MQTT 5 listener: mqtt://[USER:PASSWORD@]HOST:PORT."
    )
    mqtt_client_id: str = Field("gateway-ingest", description="Names the durable session at the broker.")
    http_host: str = Field("127.0.0.1", description="Where the pages and the API listen.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the pages and the API.")
    http_allowed_hosts: list[str] = Field(
        ["127.0.0.1", "localhost"], description="Host names a request may carry; others are refused (DNS rebinding)."
    )
    mqtt5_port: int = Field(1883, description="Embedded broker: port of the MQTT 5 listener.")
    mqtt3_port: int = Field(1884, description="Embedded broker: port of the MQTT 3.1.1 listener.")

    mqtt_session_expiry: Duration = Field(timedelta(days=7), description="How long the broker keeps our backlog.")
    mqtt_receive_maximum: int = Field(5_000, ge=1, le=65535, description="Unacknowledged messages in flight to us.")
    queue_max_messages: int = Field(20_000, ge=1, description="Messages held in memory; then reading stops.")
    batch_max_messages: int = Field(5_000, ge=1, description="Messages in one micro-batch.")
    batch_max_wait: Duration = Field(timedelta(milliseconds=50), description="How long a micro-batch is collected.")
    payload_max_bytes: int = Field(65_536, ge=64, description="Larger telemetry messages go to quarantine.")
    message_max_readings: int = Field(5_000, ge=1, description="Readings in one message.")
    clock_ahead_max: Duration = Field(timedelta(minutes=10), description="Device times further ahead are quarantined.")
    history_max: Duration = Field(timedelta(days=400), description="Device times further back are quarantined.")
    quarantine_max_messages: int = Field(10_000, ge=1, description="Quarantined messages kept; the oldest go first.")
    quarantine_payload_bytes: int = Field(4_096, ge=1, description="How much of a refused payload is kept.")

    snapshot_every: Duration = Field(timedelta(seconds=30), description="How often the rule state is saved.")
    historic_after: Duration = Field(
        timedelta(hours=1), description="An alarm that could have been raised longer ago than this is told to nobody."
    )
    merge_window: Duration = Field(
        timedelta(hours=1), description="A rule that fires again on a unit within this joins the notice it has."
    )
    notices_per_hour: int = Field(20, ge=1, description="Notices one person is told in an hour; further ones wait.")
    outbox_batch: int = Field(200, ge=1, description="Deliveries or events one worker turn takes.")
    wakeup_fallback: Duration = Field(timedelta(seconds=1), description="Longest wait for a lost wake-up.")

    events_at_once: int = Field(500, ge=1, description="Events the stream reads from the log at once.")
    streams_max: int = Field(500, ge=1, description="Open event streams.")
    stream_queue_max: int = Field(1_000, ge=1, description="Events a slow stream may lag; then it must reconnect.")

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
