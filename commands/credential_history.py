"""What became of each credential of a certificate, as its events tell (C-21)."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from commands.reading import Change, Reading
from domain.credential import Content, CredentialIssued, CredentialRevoked


class Fate(StrEnum):
    """How a credential stands."""

    IN_FORCE = "in-force"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Past:
    """A credential that was issued, and what became of it.

    Attributes:
        credential: Its id.
        content: What it shows.
        issued_at: Our clock.
        expires_on: First civil day on which it holds no more, whatever else happens.
        fate: How it stands.
        ended_at: Our clock when it was revoked or superseded.
    """

    credential: UUID
    content: Content
    issued_at: datetime
    expires_on: date
    fate: Fate = Fate.IN_FORCE
    ended_at: datetime | None = None


def credentials_of(reading: Reading, certificate: UUID) -> list[Past]:
    """All credentials of a certificate that somebody holds, the newest first."""
    found: dict[UUID, Past] = {}
    for change in reading.history(certificate):
        _take(found, change)
    return [
        replace(one, fate=Fate.EXPIRED)
        if one.fate is Fate.IN_FORCE and one.expires_on <= reading.today
        else one
        for one in reversed(found.values())
    ]


def _take(found: dict[UUID, Past], change: Change) -> None:
    entry = change.entry
    if entry.topic == CredentialRevoked.TOPIC:
        _end(found, entry.data["credential"], Fate.REVOKED, entry.recorded_at)
    elif entry.topic == CredentialIssued.TOPIC:
        for replaced in entry.data["supersedes"]:
            _end(found, replaced, Fate.SUPERSEDED, entry.recorded_at)
        issued = UUID(entry.data["credential"])
        content, expires_on = Content(entry.data["content"]), entry.data["expires_on"]
        found[issued] = Past(issued, content, entry.recorded_at, date.fromisoformat(expires_on))


def _end(found: dict[UUID, Past], credential: str, fate: Fate, at: datetime) -> None:
    which = UUID(credential)
    found[which] = replace(found[which], fate=fate, ended_at=at)
