"""The entry: RFC 8785 JSON of ten members, at most 16,384 bytes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.second.findings import Wrong, demand
from tests.second.json_text import LARGEST, read_canonical

MOST_BYTES = 16_384
MEMBERS = {
    *("v", "origin", "topic", "stream", "version"),
    *("division", "recorded_at", "author", "data", "sealed"),
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX32 = re.compile(r"[0-9a-f]{64}")
_TOPIC = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+\.v[1-9][0-9]*")
_DIVISION = re.compile(r"[0-9]{6}([0-9]{3})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def matches(pattern: re.Pattern[str], value: Any) -> bool:
    """Return whether a value is a string that fits a pattern from end to end."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def members_of(value: Any, names: set[str], kind: str) -> dict[str, Any]:
    """Return an object that has exactly the named members."""
    if not isinstance(value, dict) or set(value) != names:
        raise Wrong(kind, "members missing or unknown")
    return value


def counts_from(value: Any, least: int) -> bool:
    """Return whether a value is an integer, no boolean, of a least size."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST


def _moment(text: Any) -> datetime:
    demand(matches(_TIME, text), "entry", "recorded_at is not RFC 3339 in microseconds")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise Wrong("entry", "recorded_at is no time") from None


@dataclass(frozen=True)
class Entry:
    """What one position of the log says; names as in the JSON."""

    origin: str
    topic: str
    stream: str
    version: int
    division: str
    recorded_at: datetime
    org: str
    keyid: str
    envelope: str
    data: dict[str, Any]
    sealed: dict[str, str]

    @classmethod
    def parse(cls, raw: bytes) -> "Entry":
        """Read the bytes of an entry; Wrong if they are not one."""
        demand(len(raw) <= MOST_BYTES, "entry", "too long")
        try:
            value = read_canonical(raw)
        except ValueError as reason:
            raise Wrong("entry", str(reason)) from None
        fields = members_of(value, MEMBERS, "entry")
        demand(counts_from(fields["v"], 1) and fields["v"] == 1, "entry", "not of version 1")
        origin = fields["origin"]
        demand(_is_origin(origin), "entry", "not an origin")
        demand(matches(_TOPIC, fields["topic"]), "entry", "not a topic")
        demand(matches(UUID, fields["stream"]), "entry", "not a stream")
        demand(counts_from(fields["version"], 1), "entry", "not a version")
        demand(matches(_DIVISION, fields["division"]), "entry", "not a division")
        author = members_of(fields["author"], {"org", "keyid", "envelope"}, "entry")
        demand(matches(UUID, author["org"]), "entry", "not an author")
        for name in ("keyid", "envelope"):
            demand(matches(HEX32, author[name]), "entry", f"not the digest of a {name}")
        demand(isinstance(fields["data"], dict), "entry", "data is no object")
        rest = {name: fields[name] for name in ("topic", "stream", "version", "division", "data")}
        seals = _seals(fields["sealed"])
        moment = _moment(fields["recorded_at"])
        return cls(origin=origin, recorded_at=moment, sealed=seals, **author, **rest)

    @property
    def derived(self) -> dict[str, Any]:
        """What the server added to the data."""
        derived = self.data.get("derived", {})
        return derived if isinstance(derived, dict) else {}


def _is_origin(origin: Any) -> bool:
    if not isinstance(origin, str) or not 0 < len(origin.encode()) < 256:
        return False
    return not any(sign.isspace() or sign < " " or sign == "+" for sign in origin)


def _seals(value: Any) -> dict[str, str]:
    demand(isinstance(value, list), "entry", "sealed is no list")
    seals = [members_of(item, {"subject", "sha256"}, "entry") for item in value]
    for item in seals:
        demand(matches(UUID, item["subject"]), "entry", "not a subject")
        demand(matches(HEX32, item["sha256"]), "entry", "not the digest of a blob")
    made = {item["subject"]: item["sha256"] for item in seals}
    demand(len(made) == len(seals), "entry", "a subject sealed twice")
    return made
