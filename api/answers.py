"""What every answer of the API is made of."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response


def json_response(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def etag(version: int) -> str:
    """The entity tag of a stream at a version."""
    return f'"{version}"'
