"""A second reading of RFC 9162 and of C2SP's notes, written from their text alone."""

import base64
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf_of(entry: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """The Merkle tree over a list of leaf hashes, at every size that it ever had."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self._subtree = cache(self._hash)

    def root(self, size: int) -> bytes:
        """The root over the first leaves (RFC 9162, 2.1.1)."""
        return self._subtree(0, size) if size else sha256(b"").digest()

    def _hash(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return self.leaves[start]
        half = 1 << (end - start - 1).bit_length() - 1  # the largest power of two below the size
        return _node(self._subtree(start, start + half), self._subtree(start + half, end))


def is_included(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    number, last, result = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            result = _node(step, result)
            while number and not number & 1:
                number >>= 1
                last >>= 1
        else:
            result = _node(result, step)
        number >>= 1
        last >>= 1
    return last == 0 and result == root


def is_consistent(
    first: int, second: int, first_root: bytes, second_root: bytes, path: list[bytes]
) -> bool:
    """RFC 9162, 2.1.4.2, for 0 < first < second."""
    if not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root, *path]
    number, last = first - 1, second - 1
    while number & 1:
        number >>= 1
        last >>= 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old, new = _node(step, old), _node(step, new)
            while number and not number & 1:
                number >>= 1
                last >>= 1
        else:
            new = _node(new, step)
        number >>= 1
        last >>= 1
    return last == 0 and (old, new) == (first_root, second_root)


@dataclass(frozen=True)
class Head:
    """What a signed note says."""

    size: int
    root: bytes


def read_head(note: bytes, origin: str, key: Ed25519PublicKey) -> Head:
    """Verify the Ed25519 line of a signed note and return what the note says.

    Raises:
        InvalidSignature: The line does not hold.
        AssertionError: There is none, or the note is another log's.
    """
    text, _, lines = note.partition(b"\n\n")
    text += b"\n"
    name, size, root, rest = text.decode().split("\n")
    assert (name, rest) == (origin, "")
    raw = key.public_bytes_raw()
    identity = sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]
    signatures = [base64.b64decode(line.split(b" ")[2]) for line in lines.splitlines()]
    (ours,) = [one[4:] for one in signatures if one[:4] == identity]
    key.verify(ours, text)
    return Head(int(size), base64.b64decode(root))


@dataclass(frozen=True)
class Proof:
    """A `.tlog-proof`, taken apart."""

    index: int
    path: list[bytes]
    note: bytes


def read_proof(text: bytes) -> Proof:
    """Take a proof apart (C2SP tlog-proof)."""
    head, _, note = text.partition(b"\n\n")
    title, index, *path = head.decode().split("\n")
    assert title == "c2sp.org/tlog-proof@v1"
    return Proof(int(index.removeprefix("index ")), [base64.b64decode(one) for one in path], note)
