"""The maker's brand, as the settings give it: for the pages that vite built once for every installation."""

from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from gateway.api import models
from gateway.api.pictures import served
from gateway.config import Settings
from gateway.core.pictures import Picture, read_picture

router = APIRouter(tags=["about"], responses={"5XX": {"model": models.Problem}})

_A_MINUTE = {"Cache-Control": "public, max-age=60"}


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


CurrentSettings = Annotated[Settings, Depends(_settings)]


@router.get("/api/brand")
def brand(settings: CurrentSettings, response: Response) -> models.Brand:
    """Name, contact, imprint and privacy page of the maker; what is null is not set."""
    response.headers.update(_A_MINUTE)
    maker = settings.maker
    return models.Brand(
        name=maker.name,
        phone=maker.phone,
        email=maker.email,
        url=maker.url,
        imprint_url=maker.imprint_url,
        privacy_url=maker.privacy_url,
    )


@router.get("/brand.css", include_in_schema=False)
def style(settings: CurrentSettings) -> Response:
    """The maker's colours; every stylesheet mixes its tints of them."""
    text = f":root {{ --maker: {settings.maker.color}; --maker-dark: {settings.maker.color_dark}; }}\n"
    return Response(text, media_type="text/css", headers=_A_MINUTE)


@router.get("/brand/logo", include_in_schema=False)
def logo(request: Request) -> Response:
    """The maker's logo, or a plain mark in the maker's colours."""
    return served(request, request.app.state.logo)


def read_logo(settings: Settings) -> Picture:
    """The logo that the settings name, or the plain mark; raises BadInput for a file that cannot be shown."""
    if settings.maker_logo is not None:
        return read_picture(settings.maker_logo, "GATEWAY_MAKER_LOGO")
    maker = settings.maker
    mark = _mark().replace("{light}", maker.color).replace("{dark}", maker.color_dark)
    return Picture(mark.encode(), "image/svg+xml")


@cache
def _mark() -> str:
    return (files("gateway.api") / "public" / "mark.svg").read_text("utf-8").strip()
