"""What attacks are made of: forged entries, evidence and files of a drawn log."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.entry import Entry
from ledger.envelope import sign_payload
from ledger.jcs import canonical
from ledger.treehead import Checkpoint
from tests.tamper.drawn_log import DrawnLog, private_key
from tests.unit.client.signed_log import author

WHOLE_LOG = 0


@dataclass(frozen=True)
class Attack:
    """What is left after an attack.

    Args:
        files: The export.
        at: First position that is wrong, WHOLE_LOG if none can be named, None if it depends.
        known: Tree heads that the verifier saw earlier.
    """

    files: dict[str, bytes]
    at: int | None
    known: tuple[Checkpoint, ...] = ()


Attacker = Callable[[DrawnLog, random.Random], Attack]


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Return bytes with one bit turned."""
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def anywhere(log: DrawnLog, chance: random.Random) -> int:
    """Return any position."""
    return chance.randint(1, len(log.lines))


def place(log: DrawnLog, chance: random.Random, *topics: str) -> int:
    """Return a position after the opening, of some kinds of event."""
    return chance.choice(log.positions(*topics))


def alone(log: DrawnLog, chance: random.Random, *topics: str) -> int:
    """Return a position whose envelope is no line of a batch."""
    places = log.positions(*topics)
    return chance.choice([at for at in places if b'"path"' not in log.lines[at - 1].envelope])


def entry_at(log: DrawnLog, position: int) -> Entry:
    return log.lines[position - 1].entry


def statement_at(log: DrawnLog, position: int) -> dict[str, Any]:
    """Return what the author signed, where the envelope is no line of a batch."""
    envelope = json.loads(log.lines[position - 1].envelope)
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def edit_time(log: DrawnLog, position: int) -> None:
    """Edit a stored entry so little that only its hash tells: its time, by a microsecond.

    Towards those before it, so that no time gets farther behind the newest than it was.
    """
    moment = entry_at(log, position).recorded_at
    newest = max(line.entry.recorded_at for line in log.lines[:position])
    step = timedelta(microseconds=-1 if moment == newest else 1)
    log.forge(position, recorded_at=moment + step)


def with_raw(log: DrawnLog, position: int, raw: bytes) -> None:
    log.lines[position - 1] = replace(log.lines[position - 1], raw=raw)


def with_members(log: DrawnLog, position: int, /, **changes: object) -> None:
    """Put any JSON into an entry's members, whether it is an entry or not."""
    with_raw(log, position, canonical(json.loads(log.lines[position - 1].raw) | changes))


def with_evidence(log: DrawnLog, position: int, evidence: bytes) -> None:
    """Put other evidence beside an entry and let the entry name it."""
    line = log.lines[position - 1]
    log.lines[position - 1] = replace(line, envelope=evidence)
    named = json.loads(line.raw)["author"] | {"envelope": sha256(evidence).hexdigest()}
    with_members(log, position, author=named)


def key_behind(log: DrawnLog, position: int) -> Ed25519PrivateKey:
    """Return the private key that signed a position."""
    who = entry_at(log, position).author
    org = UUID(who.org)
    names = ["", *(f"key {n}" for n in range(len(log.lines)))]
    return next(private_key(org, name) for name in names if author(org, name).keyid == who.keyid)


def resigned(log: DrawnLog, position: int, payload: bytes) -> None:
    """Let the true author sign another payload for a position."""
    with_evidence(log, position, sign_payload(payload, key_behind(log, position)).encode())
