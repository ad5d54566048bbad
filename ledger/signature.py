"""Keys and signature lines of signed notes (C2SP signed-note).

A signature line names its key twice over: by name and by a 4-byte key ID. The ID is an
identifier, not a security boundary; the full public key always comes from the verifier's own
configuration.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from ledger.ed25519 import check_public_key
from ledger.errors import KeyMaterialError, NoteError
from ledger.syntax import decode_base64, encode_base64

ED25519: Final = 0x01
ECDSA: Final = 0x02
COSIGNATURE_ED25519: Final = 0x04
TREE_HEAD: Final = 0x05
COSIGNATURE_MLDSA44: Final = 0x06
NAMED: Final = 0xFF

KEY_ID_BYTES = 4

_PUBLIC_BYTES = {ED25519: 32, COSIGNATURE_ED25519: 32, TREE_HEAD: 32, COSIGNATURE_MLDSA44: 1312}
_KEY_ID = re.compile(r"[0-9a-f]{8}").fullmatch
_VKEY_PARTS = 3


def check_name(name: str) -> None:
    """Refuse a key name that a signature line cannot carry.

    Raises:
        NoteError: If it is empty, or holds a Unicode space, a control character, a plus or a lone
            surrogate.
    """
    if not name or any(char.isspace() or char < " " or char == "+" for char in name):
        raise NoteError("A key name is not empty and holds no space and no plus.", name=name)
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NoteError("A key name is Unicode text.", name=name) from error


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the 4-byte key ID of a key under a name (signed-note, "Signatures").

    Args:
        name: Key name.
        kind: Signature type identifier byte.
        public: Public key material as a verifier key carries it.
    """
    if kind == ECDSA:  # the one type whose ID covers neither name nor type
        return hashlib.sha256(public).digest()[:KEY_ID_BYTES]
    return hashlib.sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: Name of the key.
        keyid: ID of the key, 4 bytes.
        blob: What follows the key ID: the signature, for cosignatures a timestamp before it.
    """

    name: str
    keyid: bytes
    blob: bytes

    def line(self) -> str:
        """Return the line with its newline."""
        return f"\u2014 {self.name} {encode_base64(self.keyid + self.blob)}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read one line without its newline.

        Raises:
            NoteError: If it is not dash, name and base64 of at least five bytes.
        """
        dash, _, rest = line.partition(" ")
        name, _, text = rest.partition(" ")
        if dash != "\u2014":
            raise NoteError("A signature line starts with an em dash.")
        check_name(name)
        try:
            raw = decode_base64(text)
        except ValueError as error:
            raise NoteError("A signature is base64 text.", name=name) from error
        if len(raw) <= KEY_ID_BYTES:
            raise NoteError("A signature line is too short.", name=name)
        return cls(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and signature type: a "vkey".

    Attributes:
        name: Name of the key.
        keyid: ID of the key, 4 bytes.
        type: Signature type identifier byte.
        public: Public key material.
    """

    name: str
    keyid: bytes
    type: int
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.keyid != key_id(self.name, self.type, self.public):
            raise NoteError("The key ID is not the one of this name and key.", name=self.name)
        if not self.public or len(self.public) != _PUBLIC_BYTES.get(self.type, len(self.public)):
            raise NoteError("The public key has the wrong length.", name=self.name)
        if self.type in (ED25519, COSIGNATURE_ED25519):
            try:
                check_public_key(self.public)
            except KeyMaterialError as error:
                raise NoteError(error.message, name=self.name) from error

    @classmethod
    def of(cls, name: str, kind: int, public: bytes) -> Self:
        """Return the verifier key of a name, a signature type and a public key.

        Raises:
            NoteError: If the name cannot stand in a note or the key is not acceptable.
        """
        check_name(name)
        return cls(name, key_id(name, kind, public), kind, public)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name+hex+base64``, with a key ID that must match for every type.

        Raises:
            NoteError: If it is malformed, the key ID is another key's, or the key is weak.
        """
        # base64 contains plus signs, so at most two splits; names contain none.
        parts = text.split("+", 2)
        if len(parts) != _VKEY_PARTS or _KEY_ID(parts[1]) is None:
            raise NoteError("A verifier key is name, key ID and key, joined by plus signs.")
        try:
            raw = decode_base64(parts[2])
        except ValueError as error:
            raise NoteError("A verifier key ends in base64 text.") from error
        if not raw:
            raise NoteError("A verifier key names its signature type.")
        return cls(parts[0], bytes.fromhex(parts[1]), raw[0], raw[1:])

    def text(self) -> str:
        """Return ``name+hex+base64``."""
        return f"{self.name}+{self.keyid.hex()}+{encode_base64(bytes((self.type,)) + self.public)}"
