"""The settings of what pages and mails say of the maker, which are a part of the gateway's."""

from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator, validate_email

from gateway.core.maker import Maker, lightened, on_dark, on_light
from gateway.core.places import zone_name


class MakerSettings(BaseModel):
    """Whose products these are, and in what words and colours people read of them."""

    maker_name: str = Field(
        "Product support", min_length=1, max_length=60, description="Whose products these are; heads pages and mails."
    )
    maker_logo: Path | None = Field(
        None, description="SVG, PNG, WebP or JPEG of 200 kB at most, best square; without one a plain mark is shown."
    )
    maker_color: str = Field(
        "#0b5a75", description="Buttons, links and lines, as `#rrggbb`; one too pale to read on white is refused."
    )
    maker_color_dark: str | None = Field(
        None, description="The same on dark pages; without one, the nearest tint of `maker_color` that can be read."
    )
    maker_phone: str | None = Field(None, max_length=60, description="Contact, at the foot of pages and mails.")
    maker_email: str | None = Field(None, description="The same: a mail address.")
    maker_url: str | None = Field(None, description="The same: a web address.")
    maker_imprint_url: str | None = Field(None, description="The maker's imprint; linked from pages and mails.")
    maker_privacy_url: str | None = Field(None, description="The maker's privacy page; linked from pages and mails.")
    maker_time_zone: str = Field(
        "UTC", description="IANA name, like `Europe/Berlin`, of the times that people see who chose no zone."
    )

    text_folder: Path | None = Field(
        None, description="Folder of further languages, or of other words for ours: `LANGUAGE/*.ftl`."
    )

    @field_validator("maker_name", "maker_phone")
    @classmethod
    def _one_line(cls, text: str | None) -> str | None:
        words = " ".join((text or "").split())
        if text is not None and not words:
            raise ValueError("write some letters, or leave it out")
        return words or None

    @field_validator("maker_color")
    @classmethod
    def _maker_color(cls, colour: str) -> str:
        return on_light(colour)

    @field_validator("maker_color_dark")
    @classmethod
    def _maker_color_dark(cls, colour: str | None) -> str | None:
        return on_dark(colour) if colour else None

    @field_validator("maker_email")
    @classmethod
    def _maker_email(cls, address: str | None) -> str | None:
        return validate_email(address)[1] if address else None

    @field_validator("maker_url", "maker_imprint_url", "maker_privacy_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "https://none")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write it as https://HOST/PAGE")
        return url

    @field_validator("maker_time_zone")
    @classmethod
    def _maker_time_zone(cls, name: str) -> str:
        return zone_name(name)

    @field_validator("text_folder")
    @classmethod
    def _text_folder(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_dir():
            raise ValueError("there is no such folder")
        return folder

    @property
    def maker(self) -> Maker:
        """What pages and mails say of the maker."""
        return Maker(
            name=self.maker_name,
            color=self.maker_color,
            color_dark=self.maker_color_dark or lightened(self.maker_color),
            phone=self.maker_phone,
            email=self.maker_email,
            url=self.maker_url,
            imprint_url=self.maker_imprint_url,
            privacy_url=self.maker_privacy_url,
            zone=ZoneInfo(self.maker_time_zone),
        )
