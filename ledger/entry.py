"""The entry: the one byte string that is event, leaf, bundle member and message.

Its bytes are RFC 8785 JSON with exactly the members ``author``, ``data``, ``division``,
``origin``, ``recorded_at``, ``sealed``, ``stream``, ``topic``, ``v`` and ``version``. There is one
spelling of each entry: the strict reader accepts no other bytes. An entry's position is its leaf
index and therefore not a field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple, Self
from uuid import UUID

from ledger.errors import EntryError
from ledger.jcs import MAX_INTEGER, canonical, parse_canonical

MAX_ENTRY_BYTES = 16_384
CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far ``recorded_at`` may lie behind the newest one before it in the log."""

_UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID = re.compile(_UUID_TEXT).fullmatch
_AUTHOR = re.compile(_UUID_TEXT + r",[0-9a-f]{64},[0-9a-f]{64}").fullmatch
_SEAL = re.compile(_UUID_TEXT + r",[0-9a-f]{64}").fullmatch
_ORIGIN = re.compile(r"[!-*,-~]{1,255}").fullmatch  # printable ASCII, no space, no plus
_TOPIC = re.compile(
    r"(?=.{1,200}\Z)[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*\.v[1-9][0-9]*"
).fullmatch
_DIVISION = re.compile(r"[0-9]{6}(?:[0-9]{3})?").fullmatch
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
).fullmatch

# Each reads its members in one call; with their number checked beside it, none may be unknown.
_ENTRY_MEMBERS = itemgetter(
    "author",
    "data",
    "division",
    "origin",
    "recorded_at",
    "sealed",
    "stream",
    "topic",
    "v",
    "version",
)
_ENTRY_SIZE = 10
_AUTHOR_MEMBERS = itemgetter("org", "keyid", "envelope")
_AUTHOR_SIZE = 3
_SEAL_MEMBERS = itemgetter("subject", "sha256")
_SEAL_SIZE = 2


@dataclass(frozen=True, slots=True)
class Author:
    """Who signed what the entry states.

    Attributes:
        org: Stream id of the organisation, as lower-case UUID text.
        keyid: SHA-256 of the raw public key, 64 hex digits.
        envelope: SHA-256 of the stored envelope bytes, 64 hex digits.
    """

    org: str
    keyid: str
    envelope: str

    def __post_init__(self) -> None:
        # One match for all three: the parts cannot hold the separator.
        _check_text(_AUTHOR(self.org + "," + self.keyid + "," + self.envelope), "author")


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed blob that belongs to the entry and lies outside it.

    Attributes:
        subject: Random handle of the person, as lower-case UUID text.
        sha256: SHA-256 of the blob, 64 hex digits.
    """

    subject: str
    sha256: str

    def __post_init__(self) -> None:
        _check_text(_SEAL(self.subject + "," + self.sha256), "sealed")


class Frame(NamedTuple):
    """Where an event stands, and what is sealed with it.

    Attributes:
        stream: Id of the aggregate.
        version: Place in the stream.
        recorded_at: The log's own clock.
        seals: Subject and digest of each sealed blob.
    """

    stream: UUID
    version: int
    recorded_at: datetime
    seals: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of the log.

    Attributes:
        origin: Name of the log, as in its checkpoints.
        topic: Kind and version of the event, such as ``certificate.claimed.v1``.
        stream: Id of the aggregate.
        version: Place in the stream, counted from 1.
        division: Six digits of the administrative division, nine for a township.
        recorded_at: The log's own clock, an aware datetime.
        author: Who signed it; never empty.
        data: The clear part, a JSON object of the canonical subset.
        sealed: The sealed blobs, at most one for each subject.
    """

    v: ClassVar[int] = 1

    origin: str
    topic: str
    stream: UUID
    version: int
    division: str
    recorded_at: datetime
    author: Author
    data: Mapping[str, Any]
    sealed: tuple[Seal, ...]

    def __post_init__(self) -> None:
        _check_names(self.origin, self.topic, self.division)
        if type(self.version) is not int or not 1 <= self.version <= MAX_INTEGER:
            raise EntryError("A field of the entry is malformed.", field="version")
        if len(self.sealed) > 1 and len({seal.subject for seal in self.sealed}) < len(self.sealed):
            raise EntryError("An entry seals one blob for each subject.")

    def encode(self) -> bytes:
        """Return the canonical bytes.

        Raises:
            EntryError: If ``data`` is outside the canonical subset, the time has no zone, or the
                entry exceeds 16,384 bytes.
        """
        author = self.author
        raw = canonical(
            {
                "author": {
                    "envelope": author.envelope,
                    "keyid": author.keyid,
                    "org": author.org,
                },
                "data": dict(self.data),
                "division": self.division,
                "origin": self.origin,
                "recorded_at": encode_time(self.recorded_at),
                "sealed": [
                    {"sha256": seal.sha256, "subject": seal.subject} for seal in self.sealed
                ],
                "stream": str(self.stream),
                "topic": self.topic,
                "v": self.v,
                "version": self.version,
            }
        )
        if len(raw) > MAX_ENTRY_BYTES:
            raise EntryError("An entry is at most 16,384 bytes.", size=len(raw))
        return raw

    def frame(self) -> Frame:
        """Return what its event needs beside ``data``."""
        seals = [(seal.subject, seal.sha256) for seal in self.sealed]
        return Frame(self.stream, self.version, self.recorded_at, seals)

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read exactly what ``encode`` writes.

        Raises:
            EntryError: For any other bytes: too long, not canonical, a member missing, unknown or
                malformed.
        """
        if len(raw) > MAX_ENTRY_BYTES:
            raise EntryError("An entry is at most 16,384 bytes.", size=len(raw))
        members = parse_canonical(raw)
        if type(members) is not dict or len(members) != _ENTRY_SIZE:
            raise EntryError("An entry has exactly its ten members.")
        try:
            (author, data, division, origin, recorded_at, sealed, stream, topic, v, version) = (
                _ENTRY_MEMBERS(members)
            )
            if type(v) is not int or v != cls.v:
                raise EntryError("This version of the entry format is unknown.")
            if type(data) is not dict:
                raise EntryError("A field of the entry is malformed.", field="data")
            return cls(
                origin,
                topic,
                _decode_stream(stream),
                version,
                division,
                decode_time(recorded_at),
                _decode_author(author),
                data,
                _decode_sealed(sealed),
            )
        except KeyError as error:
            raise EntryError("A member of the entry is missing.", member=error.args[0]) from error
        except TypeError as error:  # a pattern met something that is not a string
            raise EntryError("A field of the entry is not a string.") from error


def encode_time(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, always 27 characters.

    Raises:
        EntryError: If the datetime has no zone or leaves the years 1 to 9999 in UTC.
    """
    if moment.tzinfo is None:
        raise EntryError("A time needs a zone.")
    try:
        return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    except OverflowError as error:
        raise EntryError("A time lies outside the calendar.") from error


def decode_time(text: str) -> datetime:
    """Read ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` and no other form.

    Raises:
        EntryError: For any other form, or a moment that the calendar does not have.
    """
    _check_text(_TIME(text), "recorded_at")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EntryError("The calendar has no such moment.", time=text) from error


@lru_cache(maxsize=4096)  # a log has few of them, repeated in every entry
def _check_names(origin: str, topic: str, division: str) -> None:
    _check_text(_ORIGIN(origin), "origin")
    _check_text(_TOPIC(topic), "topic")
    _check_text(_DIVISION(division), "division")


def _check_text(match: object, field: str) -> None:
    if match is None:
        raise EntryError("A field of the entry is malformed.", field=field)


def _decode_stream(text: str) -> UUID:
    _check_text(_UUID(text), "stream")
    return UUID(text)


def _decode_author(members: Any) -> Author:
    if type(members) is not dict or len(members) != _AUTHOR_SIZE:
        raise EntryError("A field of the entry is malformed.", field="author")
    return Author(*_AUTHOR_MEMBERS(members))


def _decode_sealed(seals: Any) -> tuple[Seal, ...]:
    if type(seals) is not list:
        raise EntryError("A field of the entry is malformed.", field="sealed")
    for members in seals:
        if type(members) is not dict or len(members) != _SEAL_SIZE:
            raise EntryError("A field of the entry is malformed.", field="sealed")
    return tuple([Seal(*_SEAL_MEMBERS(members)) for members in seals])
