"""The canonical spelling of entries and of their evidence: what matches needs no parsing.

An entry of one log and topic is a regular language, since its members are sorted and most have a
fixed length. Whatever matches is an entry as ``Entry.decode`` reads it. Not all entries match, nor
need they: ``Entry.decode`` and ``ledger.envelope`` stay the judges of the others.
"""

import re
from binascii import a2b_base64, b2a_base64, unhexlify
from collections.abc import Mapping, Sequence
from datetime import datetime

from ledger.dsse import PAYLOAD_TYPE, verify_signature
from ledger.entry import MAX_ENTRY_BYTES
from ledger.members import MAX_ENVELOPE_BYTES

_DATA, _DERIVED = 4, 5
"""Groups of the expression for an entry."""

_NEVER = "(?!)"
_UNQUOTED_ORIGIN = re.compile(r"[!#-*,-\[\]-~]{1,255}").fullmatch
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEX32 = "[0-9a-f]{64}"
_ANY32 = "(?s:.{64})"
"""Of which `_is_hex` must be asked: matching digit by digit took a third of the time."""
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
_SEAL = rf'\{{"sha256":"({_ANY32})","subject":"({_UUID})"\}}'
_MORE_SEALS = rf'(?:,\{{"sha256":"{_ANY32}","subject":"{_UUID}"\}})*'
_SEALS = re.compile(_SEAL).findall
_IS_DIGEST = re.compile(_HEX32.encode()).fullmatch
_IS_UUID = re.compile(_UUID.encode()).fullmatch
_DIGEST_CHARACTERS = 64
_UUID_CHARACTERS = 36
_COMMITMENT_AT = len('{"commitments":{"') + _UUID_CHARACTERS + len('":"')
_NEXT_COMMITMENT = len('"":"",') + _UUID_CHARACTERS + _DIGEST_CHARACTERS
_PAYLOAD_AT = len('{"payload":"')
_SIGNATURE = slice(-92, -4)
"""Where canonical evidence has the 64 bytes of its only signature."""
_ENVELOPE = (
    b'{"payload":"%b","payloadType":"'
    + PAYLOAD_TYPE.encode()
    + b'","signatures":[{"keyid":"%b","sig":"%b"}]}'
)

Spelled = tuple[
    str, str, str, str, str, re.Match[str], str, tuple[str, ...], tuple[str, ...], str, str
]
"""An entry whose bytes are right, its members as they are spelled.

These are: SHA-256 of the evidence; key ID and organisation of the author; the data, what of them is
server-made, and the match that knows where; the time; digests and subjects of the sealed values;
stream and version. A plain tuple: one of a class of its own would cost as much as the matching.
"""
Signed = tuple[bytes, bytes, bytes]
"""A signature that is still to be verified: raw public key, signature, payload of a statement."""


def verify_signed(signed: Signed) -> None:
    """Verify a signature; raises EnvelopeError if it does not fit."""
    public, signature, payload = signed
    verify_signature(public, signature, PAYLOAD_TYPE, payload)


class Spelling:
    """The canonical entries of one log and topic, and what their authors sign.

    Args:
        origin: Name of the log, as an entry may hold it.
        topic: Likewise.
        data: Expression of the canonical texts of the topic's data. It has one group: the member
            ``derived`` with the comma before it, empty where there is none.
    """

    def __init__(self, origin: str, topic: str, data: str) -> None:
        expression = (
            rf'\{{"author":\{{"envelope":"({_ANY32})","keyid":"({_ANY32})","org":"({_UUID})"\}},'
            rf'"data":({data}),"division":"[0-9]{{6}}(?:[0-9]{{3}})?",'
            rf'"origin":"{re.escape(origin)}","recorded_at":"({_TIME})",'
            rf'"sealed":\[(?:{_SEAL}({_MORE_SEALS}))?\],'
            rf'"stream":"({_UUID})","topic":"{re.escape(topic)}","v":1,'
            r'"version":([1-9][0-9]{0,14})\}'
        )
        if _UNQUOTED_ORIGIN(origin) is None:
            expression = _NEVER  # JSON would escape it
        self._match = re.compile(expression).fullmatch
        self._origin = f'","origin":"{origin}","stream":"'
        self._topic = f'","topic":"{topic}"}}'

    def read(self, raw: bytes) -> Spelled | None:
        """Return the entry, or None where ``Entry.decode`` must be asked."""
        if len(raw) > MAX_ENTRY_BYTES:
            return None
        try:
            found = self._match(raw.decode())
            if found is None:
                return None
            envelope, keyid, org, data, made, at, digest, subject, more, stream, version = (
                found.groups()
            )
            datetime.fromisoformat(at)  # the calendar has such a moment
            digests, subjects = ((digest,), (subject,)) if digest else ((), ())
            if more:
                digests, subjects = zip((digest, subject), *_SEALS(more), strict=True)
            if not _is_hex("".join((envelope, keyid, *digests))):
                return None
        except ValueError:
            return None
        if len(set(subjects)) < len(subjects):
            return None
        return envelope, keyid, org, data, made, found, at, digests, subjects, stream, version

    def write(
        self, entry: Spelled, evidence: bytes, keys: Mapping[str, bytes]
    ) -> tuple[str, Signed] | None:
        """Return the number of the write, where an envelope is canonical and states an entry.

        That the digest of ``evidence`` is the one named there is the caller's to check.

        Args:
            entry: What ``read`` returned.
            evidence: A DSSE envelope.
            keys: Public keys by key ID.

        Returns:
            The number, and the signature that is still to be verified; None where
            ``ledger.envelope`` must be asked.
        """
        _, keyid, _, data, made, found, _, _, subjects, stream, version = entry
        public = keys.get(keyid)
        if len(evidence) > MAX_ENVELOPE_BYTES or public is None:
            return None
        if made:
            data = _without_made(found)
        try:
            commitments = _commitments(evidence, subjects) if subjects else ""
            before = (
                f'{{"commitments":{{{commitments}}},"data":{data},'
                f'"expected_version":{int(version) - 1},"idempotency_key":"'
            ).encode()
            number = _payload_part(evidence, len(before), _UUID_CHARACTERS)
            signature = a2b_base64(evidence[_SIGNATURE])
        except ValueError:
            return None
        payload = before + number + (self._origin + stream + self._topic).encode()
        if _IS_UUID(number) is None or _spelled(payload, keyid, signature) != evidence:
            return None
        return number.decode(), (public, signature, payload)


def _is_hex(text: str) -> bool:
    """Whether a text is hex digits in lower case, an even number; else may raise ValueError."""
    return unhexlify(text).hex() == text


def _commitments(evidence: bytes, subjects: Sequence[str]) -> str:
    """Spell the commitments to sealed values, with the digests that canonical evidence has there.

    Raises:
        ValueError: If these are no digests.
    """
    parts, start = [], _COMMITMENT_AT
    for subject in sorted(subjects):
        digest = _payload_part(evidence, start, _DIGEST_CHARACTERS)
        if _IS_DIGEST(digest) is None:
            raise ValueError("not a commitment")
        parts.append(f'"{subject}":"{digest.decode()}"')
        start += _NEXT_COMMITMENT
    return ",".join(parts)


def _payload_part(evidence: bytes, start: int, size: int) -> bytes:
    """Read some bytes of the payload where canonical evidence has it, if this is canonical.

    Decoding all of it would cost more than spelling it anew does.
    """
    first, last = start // 3, -(-(start + size) // 3)
    part = a2b_base64(evidence[_PAYLOAD_AT + 4 * first : _PAYLOAD_AT + 4 * last])
    start -= 3 * first
    return part[start : start + size]


def _spelled(payload: bytes, keyid: str, signature: bytes) -> bytes:
    """Return a canonical envelope with one signature."""
    return _ENVELOPE % (
        b2a_base64(payload, newline=False),
        keyid.encode(),
        b2a_base64(signature, newline=False),
    )


def _without_made(found: re.Match[str]) -> str:
    """Return the data without what is server-made."""
    text, (start, end) = found.string, found.span(_DATA)
    cut, rest = found.span(_DERIVED)
    if cut == start + 1:  # as the first member it has its comma behind it
        rest = min(rest + 1, end - 1)
    return text[start:cut] + text[rest:end]
