"""Entry bundles: up to 256 entries in one file (C2SP tlog-tiles, "Log entries").

Each entry stands after its length in two bytes, big endian, and hashes to the leaf at the same
place of the tile of level 0. A partial bundle is a prefix of every wider one.
"""

from collections.abc import Iterable

from ledger.errors import TileError

BUNDLE_ENTRIES = 256
BUNDLE_LENGTH_BYTES = 2

_MAX_ENTRY = 0xFFFF


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries as a bundle: each after its length in two bytes, big endian.

    Raises:
        TileError: If there are none, more than 256, or one is longer than 65,535 bytes.
    """
    parts = []
    for entry in entries:
        if len(entry) > _MAX_ENTRY:
            raise TileError("An entry of a bundle has at most 65,535 bytes.", size=len(entry))
        parts.append(len(entry).to_bytes(BUNDLE_LENGTH_BYTES, "big") + entry)
    if not 1 <= len(parts) <= BUNDLE_ENTRIES:
        raise TileError("A bundle holds 1 to 256 entries.", entries=len(parts))
    return b"".join(parts)


def decode_bundle(raw: bytes) -> list[bytes]:
    """Read a bundle.

    Raises:
        TileError: If it is cut off, empty, or holds more than 256 entries.
    """
    entries: list[bytes] = []
    start, last = 0, len(raw) - BUNDLE_LENGTH_BYTES
    for _ in range(BUNDLE_ENTRIES):
        if start > last:
            break
        body = start + BUNDLE_LENGTH_BYTES
        start = body + (raw[start] << 8 | raw[start + 1])
        entries.append(raw[body:start])
    if start != len(raw):  # before it: too long; beyond it, or too few for a length: cut off
        raise TileError("A bundle is cut off or too long.", entries=len(entries))
    if not entries:
        raise TileError("A bundle holds 1 to 256 entries.", entries=0)
    return entries


def truncate_bundle(raw: bytes, width: int) -> bytes:
    """Return the narrower bundle that a stored bundle begins with.

    Raises:
        TileError: If the stored bundle is broken, or narrower itself.
    """
    entries = decode_bundle(raw)
    if len(entries) < width:
        raise TileError("A bundle is not as wide as it should be.", width=width)
    return encode_bundle(entries[:width])
