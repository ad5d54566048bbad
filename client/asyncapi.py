"""The feed as an AsyncAPI 3 document."""

from typing import Any

from client import feed
from client.durables import ACK_SECONDS, MAX_ACK_PENDING, MAX_DELIVER
from client.message import CONTENT_TYPE
from client.schemas import entry_schema, message_schema
from domain.topics import EVENTS

_SUBJECT_PREFIX = "vax.{province}.{city}.{county}"
_PARAMETERS = {
    "province": {"description": "First two digits of the GB/T 2260 code."},
    "city": {"description": "Its next two digits."},
    "county": {"description": "Its last two digits; a township's own three are not part of it."},
}


def asyncapi_document() -> dict[str, Any]:
    """Return the document: a channel and an operation a topic, and one each for the others."""
    channels = {topic: _channel(topic) for topic in EVENTS}
    channels["checkpoint"] = _plain(feed.CHECKPOINT_SUBJECT, "checkpoint")
    channels["alarm"] = _plain(feed.ALARM_SUBJECT, "alarm")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "vaxledger feed",
            "version": "1",
            "description": (
                "Every entry of the log once and in order, from stream "
                f"{feed.ENTRIES}: sequence = position. A subscriber pulls from its own durable "
                f"consumer, acknowledges each message within {ACK_SECONDS:g} s, holds at most "
                f"{MAX_ACK_PENDING} unacknowledged, and is sent each at most {MAX_DELIVER} times."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "nats": {
                "host": "{host}",
                "protocol": "nats",
                "variables": {"host": {"description": "As the credentials file says."}},
            }
        },
        "channels": channels,
        "operations": {
            f"receive.{name}": {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{_escaped(name)}"},
            }
            for name in channels
        },
        "components": {
            "messages": {topic: _message(topic) for topic in EVENTS} | _OTHER_MESSAGES,
            "schemas": {topic: entry_schema(topic) for topic in EVENTS},
        },
    }


def _channel(topic: str) -> dict[str, Any]:
    return {
        "address": f"{_SUBJECT_PREFIX}.{topic}",
        "parameters": _PARAMETERS,
        "messages": {topic: {"$ref": f"#/components/messages/{_escaped(topic)}"}},
    }


def _plain(subject: str, message: str) -> dict[str, Any]:
    return {
        "address": subject,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _message(topic: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{_escaped(topic)}"}
    return {
        "name": topic,
        "contentType": CONTENT_TYPE,
        "payload": message_schema(topic, reference),
    }


def _escaped(name: str) -> str:
    """Return a name as a JSON pointer has it (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


_OTHER_MESSAGES: dict[str, Any] = {
    "checkpoint": {
        "name": "checkpoint",
        "contentType": "text/plain; charset=utf-8",
        "summary": "A signed note (C2SP tlog-checkpoint), at most once a second.",
        "payload": {"type": "string"},
    },
    "alarm": {
        "name": "alarm",
        "contentType": "application/json",
        "summary": "Something that a person must look at.",
        "payload": {
            "type": "object",
            "properties": {
                "kind": {"type": "string"},
                "sentence": {"type": "string"},
                "at": {"type": "string", "format": "date-time"},
                "facts": {"type": "object"},
            },
            "required": ["kind", "sentence", "at", "facts"],
        },
    },
}
