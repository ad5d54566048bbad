"""What schemas of the interface's description are made of."""

from typing import Any

REF = "#/components/schemas/"
HEX32 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
UUID = {"type": "string", "format": "uuid"}
DAY = {"type": "string", "format": "date"}


def described(description: str, **properties: Any) -> dict[str, Any]:
    """An object whose members are all required, and all there are."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
