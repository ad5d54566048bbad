"""Letting a log go on under a new origin: its keys, and the entry that says so."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from bootstrap.log_keys import installation_secrets, log_terms, operator_of, successor_folder
from bootstrap.secrets import Secrets, make_log_pair
from bootstrap.settings import Settings, is_origin
from commands.reclaiming import request_of
from domain.codec import decode
from domain.log_succession import LogSuccession
from ledger.checkpoint import Checkpoint, LogSigner
from ledger.entry import Author, Entry
from ledger.envelope import keyid_of, sign_payload
from ledger.note import Note, verify_note
from ledger.statement import Statement
from ledger.store.lost import Lost, LostWrite
from ledger.store.recovery_errors import OriginUnusable
from ledger.store.succeeding import Successor

REASON = "entries-lost"


def successor_of(settings: Settings, origin: str, *, is_dry: bool) -> Successor | None:
    """Return a new origin with a founding pair of its own, which is made durably first.

    Args:
        settings: With the old one.
        origin: Its name.
        is_dry: Whether nothing is made; returns None then.

    Raises:
        OriginUnusable: If it is no name of a log, or the one that it has.
    """
    if not is_origin(origin) or origin == settings.origin:
        raise OriginUnusable(origin=origin)
    if is_dry:
        return None
    kept = installation_secrets(settings)
    folder = successor_folder(settings, origin)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = LogSigner(origin, *make_log_pair(folder, 0))

    def write(position: int, now: datetime, final: bytes) -> LostWrite:
        data = _data(settings, position, final)
        return _signed(kept, (settings.origin, origin), data, (position, now))

    return Successor(signer, write)


def _data(settings: Settings, position: int, final: bytes) -> dict[str, object]:
    note = Note.parse(final)
    # Witnesses' lines stay outside: the entry has a limit, and the log's own lines are the point.
    own = tuple(one.signature for one in verify_note(note, log_terms(settings).keys))
    data = {
        "division": operator_of(settings)[1],
        "predecessor": settings.origin,
        "checkpoint": Note(note.text, own).encode().decode(),
        "adopted": position - 1,
        "lost": max(Checkpoint.parse(note.text).size - position + 1, 0),
        "reason": REASON,
    }
    decode(LogSuccession.Succeeded, data)
    return data


def _signed(
    kept: Secrets,
    names: tuple[str, str],
    data: dict[str, object],
    place: tuple[int, datetime],
) -> LostWrite:
    """Return the entry as the operator's root key signs it, under a number made of both names."""
    position, now = place
    number = _number(names)
    topic, origin = LogSuccession.Succeeded.TOPIC, names[1]
    payload = Statement(origin, number, topic, number, 0, data, {}).encode()
    envelope = sign_payload(payload, kept.root_key).encode()
    keyid = keyid_of(kept.root_key.public_key().public_bytes_raw())
    entry = Entry(
        origin=origin,
        topic=topic,
        stream=number,
        version=1,
        division=str(data["division"]),
        recorded_at=now.astimezone(UTC),
        author=Author(str(kept.operator), keyid, sha256(envelope).hexdigest()),
        data=data,
        sealed=(),
    )
    request = request_of(entry, payload)
    assert request is not None  # it was not made for a citizen
    lost = Lost(position, entry.encode(), envelope)
    return LostWrite([(lost, entry)], (kept.operator, number, request))


def _number(names: tuple[str, str]) -> UUID:
    return uuid5(NAMESPACE_URL, " ".join(names))
