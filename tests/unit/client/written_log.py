"""Logs that tests write: real entries, real leaf hashes, read as the store's reader is."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ledger.entry import Author, Entry, Seal
from ledger.hashing import leaf_hash

ORIGIN = "ledger.example.cn/vax"
START = datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
DIVISIONS = ("410205", "410203", "410205001", "411702", "330102", "410200")


def write_entry(number: int, *, division: str = "", origin: str = ORIGIN) -> bytes:
    """Return the bytes of an entry that differs from every other number's."""
    stream = UUID(int=(0x0190_0000_0000_7000 << 64) + number)
    return Entry(
        origin=origin,
        topic="vaccination-record.dose-administered.v1",
        stream=stream,
        version=1,
        division=division or DIVISIONS[number % len(DIVISIONS)],
        recorded_at=START + timedelta(milliseconds=number),
        author=Author(str(UUID(int=7)), "ab" * 32, f"{number:064x}"),
        data={"vaccine": "HepB", "note": "乙肝疫苗", "trap": '},"data":{"x":"}'},
        sealed=(Seal(str(UUID(int=9)), "cd" * 32),),
    ).encode()


class WrittenLog:
    """A log in memory with the reader's methods; `publish` moves what may be seen of it.

    Read by several threads at once, as the store's reader is.
    """

    def __init__(self, entries: Sequence[bytes] = ()) -> None:
        self.raws = list(entries)
        self._published = len(self.raws)
        self.note: tuple[int, bytes] = (0, b"")
        self._previous: list[tuple[int, int, int]] = []
        self._newest: dict[str, int] = {}
        self._reading = threading.Lock()

    def append(self, *entries: bytes) -> None:
        self.raws += entries

    def publish(self, size: int | None = None) -> None:
        self._published = len(self.raws) if size is None else size

    def published(self) -> int:
        return self._published

    def entries(self, first: int, limit: int) -> list[tuple[int, bytes, bytes]]:
        last = min(first + limit - 1, self._published)
        return [(p, self.raws[p - 1], leaf_hash(self.raws[p - 1])) for p in range(first, last + 1)]

    def previous_many(self, first: int, last: int) -> dict[int, tuple[int, int, int]]:
        with self._reading:
            for position in range(len(self._previous) + 1, last + 1):
                self._previous.append(self._next_previous(position))
            return {p: self._previous[p - 1] for p in range(first, last + 1)}

    def _next_previous(self, position: int) -> tuple[int, int, int]:
        division = Entry.decode(self.raws[position - 1]).division
        province, city, county = division[:2], division[:4], division[:6]
        newest = self._newest
        found = newest.get(province, 0), newest.get(city, 0), newest.get(county, 0)
        newest.update(dict.fromkeys((province, city, county), position))
        return found

    def checkpoint(self) -> tuple[int, bytes]:
        return self.note
