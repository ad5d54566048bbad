"""The files of an exported log: C2SP tlog-tiles, and the envelopes beside the entries."""

from collections.abc import Callable
from pathlib import Path

from tests.second.findings import Wrong, demand

WIDTH = 256
HASH = 32
CHECKPOINT = "checkpoint"
Read = Callable[[str], bytes | None]
"""Gives the content of a file by its path in the export, or None if there is none."""


def reader(folder: Path) -> Read:
    """Read the files of a folder."""

    def read(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.is_file() else None

    return read


def numbered(number: int) -> str:
    """Return a tile's number in groups of three digits: 1234067 is `x001/x234/067`."""
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


def _wide(read: Read, stem: str, width: int) -> tuple[bytes | None, bool]:
    """Return a file of some width, and whether it is the full one that stands in for it."""
    if width < WIDTH:
        part = read(f"{stem}.p/{width}")
        if part is not None:
            return part, False
    return read(stem), width < WIDTH


def tile_widths(size: int) -> list[tuple[int, int, int]]:
    """Return (level, number, width) of each tile of a tree."""
    tiles, level = [], 0
    while size:
        full, rest = divmod(size, WIDTH)
        tiles += [(level, number, WIDTH) for number in range(full)]
        if rest:
            tiles.append((level, full, rest))
        level, size = level + 1, full
    return tiles


def read_tile(read: Read, level: int, number: int, width: int) -> list[bytes]:
    """Return the hashes of a tile, fewer if it is cut off; Wrong if it is missing or too long."""
    raw, longer = _wide(read, f"tile/{level}/{numbered(number)}", width)
    if raw is None:
        raise Wrong("tile", "missing")
    demand(len(raw) <= (WIDTH if longer else width) * HASH, "tile", "too long")
    return [raw[at * HASH : (at + 1) * HASH] for at in range(min(width, len(raw) // HASH))]


def split_lengths(raw: bytes, prefix: int, kind: str) -> list[bytes]:
    """Return the parts of a file, each after its length in so many bytes, big endian."""
    parts, at = [], 0
    while at < len(raw):
        demand(at + prefix <= len(raw), kind, "cut off")
        length = int.from_bytes(raw[at : at + prefix], "big")
        at += prefix + length
        demand(at <= len(raw), kind, "cut off")
        parts.append(raw[at - length : at])
    return parts


def read_parts(read: Read, stem: str, prefix: int, width: int) -> list[bytes]:
    """Return what a bundle holds; Wrong if it is missing, cut off or holds too many."""
    kind = "bundle" if stem.startswith("tile") else "envelope"
    raw, longer = _wide(read, stem, width)
    if raw is None:
        raise Wrong(kind, "missing")
    parts = split_lengths(raw, prefix, kind)
    return parts[:width] if longer else parts
