"""The settings of this channel."""

from pathlib import Path

from pydantic import BaseModel, Field


class PushSettings(BaseModel):
    """Firebase and the phones."""

    fcm_credentials: Path | None = Field(None, description="Service account file of Firebase; without one no push.")
    fcm_url: str | None = Field(None, description="Another server that speaks FCM v1 (tests and the demo).")
    push_tokens_max: int = Field(20, ge=1, description="Phones of one person; the oldest goes when one more comes.")
