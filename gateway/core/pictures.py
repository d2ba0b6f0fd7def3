"""Pictures that makers bring: read whole, bounded, and known by what they hold, never by their name."""

import re
from dataclasses import dataclass
from pathlib import Path

from gateway.core.errors import BadInput

PICTURE_MAX_BYTES = 200_000
_SVG = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE[^>\[]*>\s*)?<svg[\s>]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its media type."""

    content: bytes
    media_type: str


def read_picture(path: Path, what: str) -> Picture:
    """The picture in a file; raises BadInput, beginning with `what`, that says what to give instead."""
    try:
        with path.open("rb") as file:
            content = file.read(PICTURE_MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{what}: {path} cannot be read ({error.strerror}); name a file that is there.") from error
    if len(content) > PICTURE_MAX_BYTES:
        raise BadInput(f"{what}: {path} has more than {PICTURE_MAX_BYTES // 1000} kB; give a smaller picture.")
    media_type = _media_type(content)
    if media_type is None:
        raise BadInput(f"{what}: {path} is none of SVG, PNG, WebP and JPEG; give a file of one of these.")
    return Picture(content, media_type)


def _media_type(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if _SVG.match(content) else None
