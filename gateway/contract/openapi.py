"""`python -m gateway.contract.openapi`: the OpenAPI document, from which the front end's types are made."""

import hashlib
import json
import sys
from typing import Any

from gateway.api.application import create_app
from gateway.config import Settings
from gateway.core.clock import system_clock


def document() -> dict[str, Any]:
    """The document of an application that needs no database for it."""
    settings = Settings.model_construct()
    app = create_app(settings, None, None, system_clock)  # type: ignore[arg-type]
    return app.openapi()


def written() -> str:
    """The document as text, always in the same order."""
    return json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def digest() -> str:
    """Stands in the first line of the types that were made from it."""
    return hashlib.sha256(written().encode()).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(digest() + "\n" if "--digest" in sys.argv else written())
