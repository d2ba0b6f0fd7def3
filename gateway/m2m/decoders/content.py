"""What several decoders share: a payload's bytes as JSON."""

from typing import Any

import orjson

from gateway.m2m.message import Rejected


def json_content(payload: bytes) -> Any:  # noqa: ANN401 - whatever JSON can hold, or Rejected
    """Returns the parsed payload."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return Rejected("bad_json", str(error))
