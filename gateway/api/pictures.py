"""A maker's picture as an answer: known again by its content, and unable to run a script."""

import hashlib

from fastapi import Request, Response

from gateway.core.pictures import Picture

# An SVG that is opened as a page is a document of our origin: it may have styles of its own, and nothing else.
_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
}


def served(request: Request, picture: Picture) -> Response:
    """The picture, or 304 for a browser that has it."""
    etag = f'"{hashlib.sha256(picture.content).hexdigest()[:32]}"'
    headers = _HEADERS | {"ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(picture.content, media_type=picture.media_type, headers=headers)
