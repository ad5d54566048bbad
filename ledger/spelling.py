"""The canonical spelling of entries and of their evidence: what matches needs no parsing.

An entry of one log and topic is a regular language, since its members are sorted and most have a
fixed length. Whatever matches is an entry as ``Entry.decode`` reads it. Not all entries match, nor
need they: ``Entry.decode`` and ``ledger.envelope`` stay the judges of the others.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, Self

from ledger.dsse import PAYLOAD_TYPE, verify_signature
from ledger.entry import MAX_ENTRY_BYTES
from ledger.members import MAX_ENVELOPE_BYTES

_DATA, _DERIVED = 4, 5
"""Groups of the expression for an entry."""

Match = Callable[[str], re.Match[str] | None]

_UNQUOTED_ORIGIN = re.compile(r"[!#-*,-\[\]-~]{1,255}").fullmatch
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEX32 = "[0-9a-f]{64}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_SEAL = rf'\{{"sha256":"{_HEX32}","subject":"{_UUID}"\}}'
_SEALS = re.compile(rf'"sha256":"({_HEX32})","subject":"({_UUID})"').findall
_COMMITMENTS = re.compile(rf'"({_UUID})":"{_HEX32}"(?:,|\Z)').findall
_COMMITMENTS_AT = len('{"commitments":{')
_COMMITMENT_CHARACTERS = len('"":""') + 36 + 64
_IS_UUID = re.compile(_UUID.encode()).fullmatch
_UUID_CHARACTERS = 36
_PAYLOAD_AT = len('{"payload":"')
_SIGNATURE = slice(-92, -4)
"""Where canonical evidence has the 64 bytes of its only signature."""
_ENVELOPE = (
    b'{"payload":"%b","payloadType":"'
    + PAYLOAD_TYPE.encode()
    + b'","signatures":[{"keyid":"%b","sig":"%b"}]}'
)


def entries_of(origin: str, topic: str, data: str) -> Match:
    """Compile what matches canonical entries.

    Args:
        origin: Name of the log, as an entry may hold it.
        topic: Likewise.
        data: Expression of the canonical texts of the topic's data. It has one group: the member
            ``derived`` with the comma before it, empty where there is none.
    """
    if _UNQUOTED_ORIGIN(origin) is None:
        return re.compile("(?!)").match  # JSON would escape it
    return re.compile(
        rf'\{{"author":\{{"envelope":"({_HEX32})","keyid":"({_HEX32})","org":"({_UUID})"\}},'
        rf'"data":({data}),"division":"[0-9]{{6}}(?:[0-9]{{3}})?","origin":"{re.escape(origin)}",'
        rf'"recorded_at":"({_TIME})","sealed":\[((?:{_SEAL}(?:,{_SEAL})*)?)\],'
        rf'"stream":"({_UUID})","topic":"{re.escape(topic)}","v":1,'
        r'"version":([1-9][0-9]{0,14})\}'
    ).fullmatch


class Signed(NamedTuple):
    """A signature that is still to be verified.

    Attributes:
        public: The raw public key.
        signature: 64 bytes.
        payload: What it is to be of: an event's statement.
    """

    public: bytes
    signature: bytes
    payload: bytes

    def verify(self) -> None:
        """Verify it; raises EnvelopeError if it does not fit."""
        verify_signature(self.public, self.signature, PAYLOAD_TYPE, self.payload)


class SpelledEntry(NamedTuple):
    """An entry whose bytes are right, its members as they are spelled.

    Attributes:
        envelope: SHA-256 of the evidence, hex.
        keyid: Key of the author.
        org: The author.
        data: Canonical JSON.
        signed: The same without what is server-made.
        recorded_at: 27 characters.
        sealed: Digests and subjects.
        stream: UUID.
        version: Decimal.
    """

    envelope: str
    keyid: str
    org: str
    data: str
    signed: str
    recorded_at: str
    sealed: list[tuple[str, str]]
    stream: str
    version: str

    @classmethod
    def read(cls, raw: bytes, matches: Match) -> Self | None:
        """Return the entry, or None where ``Entry.decode`` must be asked."""
        if len(raw) > MAX_ENTRY_BYTES:
            return None
        try:
            found = matches(raw.decode())
            if found is None:
                return None
            envelope, keyid, org, data, derived, recorded_at, seals, stream, version = (
                found.groups()
            )
            datetime.fromisoformat(recorded_at)  # the calendar has such a moment
        except ValueError:
            return None
        sealed = _SEALS(seals) if seals else []
        if len(sealed) > 1 and len({subject for _, subject in sealed}) < len(sealed):
            return None
        signed = _without(found) if derived else data
        return cls(envelope, keyid, org, data, signed, recorded_at, sealed, stream, version)

    def write(
        self, origin: str, topic: str, evidence: bytes, keys: Mapping[str, bytes]
    ) -> tuple[str, Signed] | None:
        """Return the number of the write, where an envelope is canonical and states this entry.

        That the digest of ``evidence`` is the one named here is the caller's to check.

        Args:
            origin: Name of the log.
            topic: Of the entry.
            evidence: A DSSE envelope.
            keys: Public keys by key ID.

        Returns:
            The number, and the signature that is still to be verified; None where
            ``ledger.envelope`` must be asked.
        """
        if len(evidence) > MAX_ENVELOPE_BYTES or self.keyid not in keys:
            return None
        try:
            before = self._stated(evidence)
            key = before and _payload_part(evidence, len(before), _UUID_CHARACTERS)
            if not key or _IS_UUID(key) is None:
                return None
            signature = a2b_base64(evidence[_SIGNATURE])
        except ValueError:
            return None
        after = f'","origin":"{origin}","stream":"{self.stream}","topic":"{topic}"}}'
        payload = before + key + after.encode()
        if _spelled(payload, self.keyid, signature) != evidence:
            return None
        return key.decode(), Signed(keys[self.keyid], signature, payload)

    def _stated(self, evidence: bytes) -> bytes:
        """Spell the statement that this entry must stem from up to the number of the write.

        Returns:
            Nothing where the commitments are not those of the sealed values' subjects.
        """
        subjects = [subject for _, subject in self.sealed]
        subjects.sort()
        # As many as fit into so many characters leave none over.
        size = (_COMMITMENT_CHARACTERS + 1) * len(subjects) - bool(subjects)
        commitments = _payload_part(evidence, _COMMITMENTS_AT, size).decode()
        if _COMMITMENTS(commitments) != subjects:
            return b""
        return (
            f'{{"commitments":{{{commitments}}},"data":{self.signed},'
            f'"expected_version":{int(self.version) - 1},"idempotency_key":"'
        ).encode()


def _payload_part(evidence: bytes, start: int, size: int) -> bytes:
    """Read some bytes of the payload where canonical evidence has it, if this is canonical.

    Decoding all of it would cost more than spelling it anew does.
    """
    first, last = start // 3, -(-(start + size) // 3)
    part = a2b_base64(evidence[_PAYLOAD_AT + 4 * first : _PAYLOAD_AT + 4 * last])
    return part[start - 3 * first :][:size]


def _spelled(payload: bytes, keyid: str, signature: bytes) -> bytes:
    """Return a canonical envelope with one signature."""
    return _ENVELOPE % (
        b2a_base64(payload, newline=False),
        keyid.encode(),
        b2a_base64(signature, newline=False),
    )


def _without(found: re.Match[str]) -> str:
    """Return the data without what is server-made."""
    text, (start, end) = found.string, found.span(_DATA)
    cut, rest = found.span(_DERIVED)
    if cut == start + 1:  # as the first member it has its comma behind it
        rest = min(rest + 1, end - 1)
    return text[start:cut] + text[rest:end]
