"""The feed's messages: CloudEvents 1.0 in structured JSON mode, one for each entry.

A message is a pure function of the entry, its position and the previous positions of its
divisions, so that a rebuilt stream is byte-identical. The bytes between ``"data":`` and the last
``}`` are the entry verbatim: a subscriber hashes them and has the leaf. Extension attributes are
strings in decimal, since CloudEvents integers end at 2^31-1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from client.errors import MessageError
from ledger import jcs
from ledger.entry import Entry, encode_time
from ledger.errors import EntryError
from ledger.hashing import leaf_hash

CONTENT_TYPE = "application/cloudevents+json"

_DATA = b',"data":'
_MAX_HEAD_BYTES = 4_096
_NAME = re.compile(r"[a-z0-9]{1,20}").fullmatch
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch
_URI_MARKS = "/:@!$&'()*,;=-._~"
_TOLD = itemgetter("origin", "topic", "stream", "recorded_at")


class Previous(NamedTuple):
    """Newest earlier positions of the entry's province, city and county; 0 for none."""

    province: int
    city: int
    county: int


class Told(NamedTuple):
    """What the attributes repeat of an entry, as its own text."""

    origin: str
    topic: str
    stream: str
    recorded_at: str


class Message(NamedTuple):
    """What is published: subject, headers and body."""

    subject: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that was read back and holds in itself.

    Attributes:
        position: Place in the log, counted from 1.
        previous: Newest earlier positions of its divisions.
        raw: The entry's bytes.
        entry: The entry.
        leaf: RFC 9162 leaf hash of the bytes, computed here.
    """

    position: int
    previous: Previous
    raw: bytes
    entry: Entry
    leaf: bytes


@lru_cache(maxsize=4_096)  # of a log's counties and topics, those at work
def subject_of(division: str, topic: str) -> str:
    """Return the NATS subject: province, city and county as tokens, then the topic.

    Args:
        division: Six or nine digits; a township's last three are not part of the subject.
        topic: Such as ``vaccination-record.dose-administered.v1``.
    """
    return f"vax.{division[:2]}.{division[2:4]}.{division[4:6]}.{topic}"


def build(raw: bytes, position: int, previous: Previous) -> Message:
    """Return the one message of an entry at a position.

    Reads of the entry what the message says and no more: the log it comes from has checked it at
    the door and under each checkpoint, and every subscriber does again (``parse``).

    Args:
        raw: The entry's canonical bytes.
        position: Place in the log, counted from 1.
        previous: Newest earlier positions of its divisions, 0 for none.

    Raises:
        MessageError: If the bytes are not an entry's or a position is out of order.
    """
    try:
        members = orjson.loads(raw)
        told = Told(*_TOLD(members))
    except (ValueError, KeyError, TypeError) as error:
        raise MessageError("The data is not an entry.") from error
    if not 0 <= previous.province >= previous.city >= previous.county >= 0:
        raise MessageError("A smaller division has no newer entry than the larger one around it.")
    if previous.province >= position:
        raise MessageError("A previous position is smaller.", position=position)
    head = orjson.dumps(_attributes(told, position, previous, leaf_hash(raw)))
    return Message(
        subject_of(members["division"], told.topic),
        {"Content-Type": CONTENT_TYPE},
        b"".join((head[:-1], _DATA, raw, b"}")),
    )


def parse(subject: str, headers: Mapping[str, str] | None, body: bytes) -> Delivered:
    """Read a message and recompute everything that follows from its entry.

    Unknown extension attributes are let through, so that later editions may add some. What is
    returned is consistent in itself; that it belongs to the log is shown by the checkpoint only.

    Raises:
        MessageError: If the content type, subject, an attribute or the entry is not exactly what
            ``build`` writes.
    """
    if (headers or {}).get("Content-Type") != CONTENT_TYPE:
        raise MessageError("The content type is not that of structured CloudEvents.")
    at = body.find(_DATA, 0, _MAX_HEAD_BYTES)
    if at < 0 or not body.endswith(b"}"):
        raise MessageError("The message has no data.")
    attributes = _parse_head(body[:at] + b"}")
    raw = body[at + len(_DATA) : -1]
    entry, leaf = _decode(raw), leaf_hash(raw)
    position = _number(attributes, "ledgerposition")
    previous = Previous(*(_number(attributes, f"previous{name}") for name in Previous._fields))
    told = Told(entry.origin, entry.topic, str(entry.stream), encode_time(entry.recorded_at))
    for name, value in _attributes(told, position, previous, leaf).items():
        if attributes.get(name) != value:
            raise MessageError("An attribute does not follow from the entry.", attribute=name)
    if subject != subject_of(entry.division, entry.topic):
        raise MessageError("The subject does not follow from the entry.", subject=subject)
    return Delivered(position, previous, raw, entry, leaf)


def _attributes(told: Told, position: int, previous: Previous, leaf: bytes) -> dict[str, str]:
    """Return the context attributes in the order in which they are written."""
    source = _source(told.origin)
    return {
        "specversion": "1.0",
        "id": str(position),
        "source": source,
        "type": told.topic,
        "subject": told.stream,
        "time": told.recorded_at,
        "datacontenttype": "application/json",
        "dataschema": f"https://{source}/schemas/{told.topic}.json",
        "ledgerposition": str(position),
        "leafhash": leaf.hex(),
        "previousprovince": str(previous.province),
        "previouscity": str(previous.city),
        "previouscounty": str(previous.county),
    }


@lru_cache(maxsize=16)  # a log has one origin
def _source(origin: str) -> str:
    return quote(origin, safe=_URI_MARKS)


def _parse_head(head: bytes) -> dict[str, Any]:
    try:
        attributes = jcs.parse(head, max_depth=1)
    except EntryError as error:
        raise MessageError("The attributes are not JSON.") from error
    if type(attributes) is not dict or not all(map(_NAME, attributes)):
        raise MessageError("Attribute names are lower-case letters and digits.")
    return attributes


def _number(attributes: Mapping[str, Any], name: str) -> int:
    text = attributes.get(name)
    if type(text) is not str or _DECIMAL(text) is None:
        raise MessageError("A position is a decimal.", attribute=name)
    return int(text)


def _decode(raw: bytes) -> Entry:
    try:
        return Entry.decode(raw)
    except EntryError as error:
        raise MessageError("The data is not an entry.", reason=str(error)) from error
