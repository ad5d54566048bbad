"""JSON Schemas of what the feed carries, from the same types that read and write it."""

from collections.abc import Mapping
from typing import Any

from client.feed import MAX_MESSAGE_BYTES
from domain.codec import json_schema
from domain.shape import summary
from domain.topics import EVENTS
from ledger.entry import MAX_ENTRY_BYTES

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_UUID = {"type": "string", "format": "uuid"}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_POSITION = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"}
_TIME = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$",
}


def entry_schema(topic: str) -> dict[str, Any] | None:
    """Return the schema of a topic's entries; None if there is no such topic.

    A later edition adds optional members to `data` only; anything else is another topic, ``v2``.
    """
    event = EVENTS.get(topic)
    if event is None:
        return None
    members: dict[str, Any] = {
        "v": {"const": 1},
        "origin": {"type": "string"},
        "topic": {"const": topic},
        "stream": _UUID,
        "version": {"type": "integer", "minimum": 1},
        "division": {"type": "string", "pattern": "^[0-9]{6}([0-9]{3})?$"},
        "recorded_at": _TIME,
        "author": _object({"org": _UUID, "keyid": _SHA256, "envelope": _SHA256}),
        "data": {k: v for k, v in json_schema(event).items() if k not in ("$schema", "$id")},
        "sealed": {"type": "array", "items": _object({"subject": _UUID, "sha256": _SHA256})},
    }
    return {
        "$schema": _DRAFT,
        "title": topic,
        "description": f"{summary(event)} At most {MAX_ENTRY_BYTES} bytes of RFC 8785 JSON.",
        **_object(members),
    }


def message_schema(topic: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a topic's messages: CloudEvents 1.0 with our extensions.

    Args:
        topic: Of the entry.
        data: Schema of the entry, or a reference to it.
    """
    text = {"type": "string"}
    known: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": _POSITION,
        "source": text,
        "type": {"const": topic},
        "subject": _UUID,
        "time": _TIME,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "ledgerposition": _POSITION,
        "leafhash": _SHA256,
        "previousprovince": _POSITION,
        "previouscity": _POSITION,
        "previouscounty": _POSITION,
        "data": dict(data),
    }
    described = f"At most {MAX_MESSAGE_BYTES} bytes; the bytes of `data` are the entry verbatim."
    return {
        "type": "object",
        "description": described,
        "properties": known,
        "required": list(known),
        "additionalProperties": {"type": "string"},  # attributes that a later edition adds
    }


def _object(members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }
