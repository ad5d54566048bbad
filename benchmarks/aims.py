"""What is to be reached, and whether a run reached it."""

from dataclasses import dataclass

from benchmarks import (
    appending,
    booking,
    correcting,
    county,
    delivering,
    draining,
    floors,
    following,
    growing,
    importing,
    listing,
    opening,
    over_http,
    peers,
    proving,
)
from benchmarks.rows import Book, number_text

MILLION = 1_000_000
REBUILD = "rebuild of all views from a million entries, reckoned from its rate"


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim beside what was measured.

    Attributes:
        what: In words.
        wanted: What is to be reached, as text.
        measured: What was, as text.
        is_reached: Whether it was.
    """

    what: str
    wanted: str
    measured: str
    is_reached: bool


def judge(book: Book) -> list[Aim]:
    """Return the aims whose rows were measured."""
    return [
        *_append(book),
        *_share(book, growing.name_of(MILLION), growing.name_of(growing.SIZES[0]), 0.8),
        *_share(book, growing.name_of(growing.LONG[1]), growing.name_of(growing.LONG[0]), 0.8),
        *_http(book),
        *_at_least(book, f"{over_http.BULK}, 1,000 lines", 5_000),
        *_share(book, importing.IMPORT, importing.COPY, importing.SHARE),
        *_at_least(book, _in_memory(book), 500_000),
        *_at_least(book, proving.INTO_POSTGRES, 50_000),
        *_at_least(book, proving.HASHES_ONLY, 300_000),
        *_at_least(book, proving.NO_ENVELOPES, 80_000),
        *_share(book, proving.EVERYTHING, proving.SIGNATURES, 0.8),
        *_at_least(book, _slowest(book, following.ALONE), 30_000),
        *_at_least(book, draining.PUBLISH, 20_000),
        *_delivery(book),
        *_rebuild(book),
        *_reads(book),
        *_bookings(book),
        *_opening(book),
        *_schools(book),
    ]


def _append(book: Book) -> list[Aim]:
    best = max(
        (_value(book, peers.name_of(peers.LIBRARY, callers)) or 0.0 for callers in peers.CALLERS),
        default=0.0,
    )
    aims = []
    for row in (appending.FOLLOWED, appending.READY, appending.CHECKED_BEFORE):
        name = peers.name_of(row, peers.CALLERS[-1])
        value = _value(book, name)
        if value is not None and best:
            wanted = f"5 × the library's best, {number_text(5 * best)}"
            aims.append(Aim(name, wanted, number_text(value), value >= 5 * best))
    name = peers.name_of(appending.DESK, peers.CALLERS[-1])
    return aims + _share(book, name, floors.VERIFY_ALL, 0.6)


def _http(book: Book) -> list[Aim]:
    name = f"{over_http.DOSE}, 64 connections"
    row, library = book.find(name), _value(book, over_http.LIBRARY_ALONE)
    if row is None or row.middle is None or library is None:
        return []
    slowest = row.latency[99.0]
    return [
        Aim(
            name,
            f"the library's one caller, {number_text(library)}",
            number_text(row.middle),
            row.middle >= library,
        ),
        Aim(f"{name}, p99", "500 ms", f"{number_text(slowest)} ms", slowest < 500),
    ]


def _in_memory(book: Book) -> str:
    return next((row.name for row in book.rows if row.name.startswith(proving.IN_MEMORY)), "")


def _slowest(book: Book, ending: str) -> str:
    """The name of the slowest row whose name ends so; empty without any."""
    found = [row for row in book.rows if row.name.endswith(ending) and row.middle]
    return min(found, key=lambda row: row.middle or 0.0).name if found else ""


def _at_least(book: Book, name: str, wanted: float) -> list[Aim]:
    value = _value(book, name)
    if value is None:
        return []
    return [Aim(name, number_text(wanted), number_text(value), value >= wanted)]


def _share(book: Book, name: str, other: str, share: float) -> list[Aim]:
    value, limit = _value(book, name), _value(book, other)
    if value is None or limit is None:
        return []
    wanted = f"{share:.0%} of {other}, {number_text(share * limit)}"
    return [Aim(name, wanted, number_text(value), value >= share * limit)]


def _rebuild(book: Book) -> list[Aim]:
    rate = _value(book, following.REBUILD)
    if rate is None:
        return []
    seconds = MILLION / rate
    return [
        Aim(
            REBUILD,
            "60 s",
            f"{number_text(seconds)} s",
            seconds < 60,
        )
    ]


def _delivery(book: Book) -> list[Aim]:
    rows = [book.find(name) for name in (delivering.ALL_AT_WORK, delivering.ONE_STOPPED)]
    slowest = [row.latency[99.0] for row in rows if row is not None and 99.0 in row.latency]
    if len(slowest) < len(rows):
        return []
    together, without = slowest
    return [
        Aim(
            f"{delivering.ALL_AT_WORK}, p99",
            "400 ms",
            f"{number_text(together)} ms",
            together < 400,
        ),
        Aim(
            f"{delivering.ONE_STOPPED}, p99",
            f"at most a fifth more, {number_text(1.2 * together)} ms",
            f"{number_text(without)} ms",
            without <= 1.2 * together,
        ),
    ]


def _reads(book: Book) -> list[Aim]:
    return [
        Aim(f"{row.name}, p99", "10 ms", f"{number_text(slowest)} ms", slowest < 10)
        for row in book.rows
        if row.group in {"reads", "population"} and (slowest := row.latency.get(99.0))
    ]


def _schools(book: Book) -> list[Aim]:
    wanted = {
        county.CLASS: (99.0, 50),
        county.ROLL_UP: (50.0, 200),
        county.RESTATED: (99.0, 2_000),
        correcting.CORRECTED: (50.0, 2_000),
    }
    return [
        Aim(f"{name}, p{share:g}", f"{most} ms", f"{number_text(found)} ms", found < most)
        for name, (share, most) in wanted.items()
        if (row := book.find(name)) and (found := row.latency.get(share))
    ] + _at_least(book, listing.LIST, listing.ROWS / listing.SECONDS)


def _bookings(book: Book) -> list[Aim]:
    race = book.find(booking.RACE)
    if race is None or 99.0 not in race.latency:
        return []
    slowest = race.latency[99.0]
    return [
        Aim(f"{booking.RACE}, p99", "2 s", f"{number_text(slowest)} ms", slowest < 2_000),
        *_at_least(book, booking.HOLDS, 1_000),
    ]


def _opening(book: Book) -> list[Aim]:
    row = book.find(opening.OPENING)
    if row is None or 99.0 not in row.latency:
        return []
    slowest = row.latency[99.0]
    name = f"{opening.OPENING}, p99 of the admitted"
    return [Aim(name, "2 s", f"{number_text(slowest)} ms", slowest < 2_000)]


def _value(book: Book, name: str) -> float | None:
    row = book.find(name)
    return row.middle if row else None
