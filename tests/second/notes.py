"""C2SP signed-note and tlog-cosignature: reading a note, and whose signatures it carries."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from dilithium_py.ml_dsa import ML_DSA_44  # type: ignore[import-untyped]  # it ships no types

from tests.second.curve25519 import is_sound_key
from tests.second.findings import Wrong, demand
from tests.second.merkle9162 import EMPTY_ROOT

ED25519, COSIGNED_ED25519, COSIGNED_MLDSA44 = 1, 4, 6
KEY_BYTES = {ED25519: 32, COSIGNED_ED25519: 32, COSIGNED_MLDSA44: 1312}
SIGNATURE_BYTES = {ED25519: 64, COSIGNED_ED25519: 72, COSIGNED_MLDSA44: 2428}
MOST_LINES = 100
_SIZE = re.compile(r"0|[1-9][0-9]*")
_KEYID = re.compile(r"[0-9a-f]{8}")


def unbase64(text: str, kind: str) -> bytes:
    """Return the bytes of padded standard base64 in its one spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong(kind, "not base64") from None
    demand(base64.b64encode(raw).decode() == text, kind, "base64 in another spelling")
    return raw


def is_key_name(name: str) -> bool:
    """Return whether a text can name a key."""
    return bool(name) and "+" not in name and not any(sign.isspace() for sign in name)


@dataclass(frozen=True)
class VerifierKey:
    """A named public key in the form of a vkey."""

    name: str
    type: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey; Wrong if its key ID is not that of its name and key."""
        parts = text.split("+", 2)
        demand(len(parts) == 3, "vkey", "not three parts")
        name, keyid, material = parts
        demand(is_key_name(name), "vkey", "not a key name")
        demand(_KEYID.fullmatch(keyid) is not None, "vkey", "not a key ID")
        raw = unbase64(material, "vkey")
        demand(bool(raw), "vkey", "no key")
        key = cls(name, raw[0], raw[1:])
        demand(KEY_BYTES.get(key.type) == len(key.public), "vkey", "unknown type or length")
        demand(key.keyid.hex() == keyid, "vkey", "the key ID is not that of the key")
        is_sound = key.type == COSIGNED_MLDSA44 or is_sound_key(key.public)
        demand(is_sound, "vkey", "of low order or not canonical")
        return key

    @property
    def keyid(self) -> bytes:
        """The first four bytes of the digest of name, type and key."""
        named = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return sha256(named).digest()[:4]


@dataclass(frozen=True)
class TreeHead:
    """The text of a checkpoint."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> "TreeHead":
        """Read the text of a note as tlog-checkpoint says."""
        lines = text.split("\n")
        demand(len(lines) > 3 and lines[-1] == "", "checkpoint", "fewer than three lines")
        demand(all(lines[:-1]), "checkpoint", "an empty line")
        demand(_SIZE.fullmatch(lines[1]) is not None, "checkpoint", "not a size")
        root = unbase64(lines[2], "checkpoint")
        demand(len(root) == 32, "checkpoint", "not a root")
        head = cls(lines[0], int(lines[1]), root)
        demand(head.size > 0 or root == EMPTY_ROOT, "checkpoint", "an empty tree with a root")
        return head


def split_note(raw: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the signed text of a note, and (name, key ID, signature) of each line."""
    try:
        note = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("checkpoint", "not UTF-8") from None
    demand(not any(sign < " " and sign != "\n" for sign in note), "checkpoint", "control character")
    text, separator, lines = note.rpartition("\n\n")
    demand(bool(separator) and lines.endswith("\n"), "checkpoint", "not a note")
    signatures = [_signature_line(line) for line in lines[:-1].split("\n")]
    demand(len(signatures) <= MOST_LINES, "checkpoint", "too many signatures")
    return text + "\n", signatures


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    demand(len(parts) == 3 and parts[0] == "—", "checkpoint", "not a signature line")
    demand(is_key_name(parts[1]), "checkpoint", "not a key name")
    raw = unbase64(parts[2], "checkpoint")
    demand(len(raw) > 4, "checkpoint", "an empty signature")
    return parts[1], raw[:4], raw[4:]


def _ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _subtree_message(key: VerifierKey, time: bytes, head: TreeHead) -> bytes:
    name, origin = key.name.encode(), head.origin.encode()
    demand(len(name) < 256 and len(origin) < 256, "checkpoint", "a name of over 255 bytes")
    numbers = bytes(8) + head.size.to_bytes(8, "big")
    return b"".join(
        (b"subtree/v1\n\x00", bytes([len(name)]), name, time, bytes([len(origin)]), origin)
    ) + (numbers + head.root)


def is_signed(key: VerifierKey, text: str, signature: bytes) -> bool:
    """Return whether a signature, without its key ID, is a key's over a note's text."""
    if len(signature) != SIGNATURE_BYTES[key.type]:
        return False
    if key.type == ED25519:
        return _ed25519(key.public, signature, text.encode())
    time, bare = signature[:8], signature[8:]
    if time[0] & 0x80:  # a time of 2^63 or later does not exist
        return False
    if key.type == COSIGNED_ED25519:
        line = f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n"
        return _ed25519(key.public, bare, line.encode() + text.encode())
    message = _subtree_message(key, time, TreeHead.parse(text))
    return bool(ML_DSA_44.verify(key.public, message, bare))


def signers(raw: bytes, known: Sequence[VerifierKey]) -> tuple[str, list[VerifierKey]]:
    """Return a note's text and the known keys that signed it.

    Raises:
        Wrong: If the note is malformed, or a line of a known key does not verify.
    """
    text, lines = split_note(raw)
    by_id = {(key.name, key.keyid): key for key in known}
    demand(len(by_id) == len(known), "vkey", "two keys with one ID")
    found: list[VerifierKey] = []
    for name, keyid, signature in lines:
        key = by_id.get((name, keyid))
        if key is not None:
            genuine = is_signed(key, text, signature)
            demand(genuine, "checkpoint", f"the signature of {name} is forged")
            found.append(key)
    return text, found
