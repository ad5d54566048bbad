"""A certificate's holder lets a grandmother use it."""

import json
from typing import Any
from uuid import UUID

import httpx

from tests.integration.api.conftest import Author

GRANDMOTHER = {"name": "张桂英", "phone": "13712345678", "relation": "外婆"}


def grant(
    holder: Author, certificate: UUID, number: str, *scope: str, **changes: Any
) -> httpx.Response:
    """Grant to whoever has the number, to view unless said otherwise."""
    body = {
        "scope": scope or ("view",),
        "relation": "grandmother",
        "grantee": {**GRANDMOTHER, "id_number": number},
        **changes,
    }
    return holder.call(f"/v1/certificates/{certificate}/grants", body)


def revoke(holder: Author, certificate: UUID, granted: httpx.Response) -> httpx.Response:
    """Take back what that answer granted."""
    entry = json.loads(granted.json()["entry"])
    asked = {"grant": entry["data"]["grant"]}
    return holder.call(f"/v1/certificates/{certificate}/revocations", asked)
