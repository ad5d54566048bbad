"""The page on growth: what one machine carries, what it misses and why, and what comes next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import (
    county,
    draining,
    following,
    growing,
    importing,
    kept,
    limits,
    over_http,
    reckoning,
)
from benchmarks.report import SPENDING_GROUPS, spending_line
from benchmarks.rows import number_text

_DAY_SECONDS = 8 * 3_600
_BUSIEST = 2
_NATION_DAY = 20_200_000
_PROVINCE_SHARE = 10
_ENTRIES_A_CHILD = 20
"""Of a simulated child in its first six years: registration, doses, moves, corrections, school."""
_GIGABYTE, _TERABYTE = 1e9, 1e12
_BIRTHS = 1_000_000
"""A year, in a large province."""
_PROVINCE_CHILDREN = 10_000_000
_COHORTS, _CHECKED_COHORTS = 15, 2
_ENTRIES_A_CHECK = 4
_SCHOOL_DAYS, _WORKING_DAYS = 20, 250
BYTES_AN_ENTRY = "bytes an entry in PostgreSQL, with indexes"
BYTES_IN_ALL = "bytes an entry in an installation, with read models, keys and feed"
"""The facts of a run from which disk is reckoned."""
_PAGE = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Way:
    """A way on which every dose goes, or may.

    Attributes:
        words: For the reader.
        row: Name of its row.
        is_needed: Whether every dose of a clinic goes there, the day over.
    """

    words: str
    row: str
    is_needed: bool = False


_WAYS = (
    Way("a dose over HTTP, answered with its proof", f"{over_http.DOSE}, 64 connections", True),
    Way("batches of 1,000 doses over HTTP", f"{over_http.BULK}, 1,000 lines"),
    Way("a file of history, imported", importing.IMPORT),
    Way("read models kept up to date", following.LIVE, True),
    Way("the feed, published", draining.PUBLISH, True),
)


def page(measured: Mapping[str, Any], results: Path) -> str:
    """Return the page.

    Args:
        measured: The last whole run, as its JSON object has it.
        results: The folder where those lie that run by themselves.
    """
    rates = {row["name"]: row["median"] for row in measured["rows"]}
    medians = {row["name"]: row.get("latency", {}).get("p50") for row in measured["rows"]}
    return _PAGE.format(
        facts="\n".join(f"- {name}: {text}" for name, text in measured["facts"].items()),
        nation=_a_second(_NATION_DAY),
        province=_a_second(_NATION_DAY / _PROVINCE_SHARE),
        nation_day=f"{_NATION_DAY:,}",
        ways=_lines(_WAYS, lambda way: _way(way, rates.get(way.row))),
        narrowest=_narrowest(rates),
        disk_first=_first_on_disk(rates, measured["facts"]),
        missed=limits.table(measured),
        reckoned=reckoning.section(measured),
        steps=reckoning.steps(measured),
        population=kept.population(kept.load(results, "population")),
        tenmillion=kept.tenmillion(kept.load(results, "tenmillion")),
        memory=kept.memory(kept.load(results, "memory")),
        spending=_spending(measured),
        sizes=_lines(growing.SIZES, lambda size: _size(size, rates)),
        reads=_lines([row for row in measured["rows"] if row["group"] == "reads"], _read),
        disk=_disk(measured["facts"]),
        province_check=_province(rates, medians, measured["facts"]),
    )


def _lines(things: Sequence[Any], line: Callable[[Any], str]) -> str:
    return "\n".join(line(one) for one in things)


def _a_second(doses_a_day: float) -> str:
    return number_text(doses_a_day / _DAY_SECONDS * _BUSIEST)


def _a_day(rate: float) -> float:
    return rate * _DAY_SECONDS / _BUSIEST


def _way(way: Way, rate: float | None) -> str:
    if rate is None:
        return f"| {way.words} | – | – | – |"
    day = _a_day(rate)
    share = number_text(day / (_NATION_DAY / _PROVINCE_SHARE))
    return f"| {way.words} | {number_text(rate)} | {number_text(day)} | {share} |"


def _narrowest(rates: Mapping[str, float]) -> str:
    needed = [(rates[way.row], way.words) for way in _WAYS if way.is_needed and way.row in rates]
    if not needed:
        return "Not measured yet."
    rate, words = min(needed)
    machines = -(-_NATION_DAY // max(1, int(_a_day(rate))))
    return (
        f"What ends first here is *{words}*: {number_text(_a_day(rate))} doses a day. Thirty-one "
        f"provincial logs on machines like this one would carry {number_text(31 * _a_day(rate))}; "
        f"the yardstick's day wants {machines:,} of them."
    )


def _spending(measured: Mapping[str, Any]) -> str:
    wanted = {aim["what"] for aim in measured["aims"]}
    rows = [
        row
        for row in measured["rows"]
        if row["name"] in wanted and row.get("spent") and row["group"] in SPENDING_GROUPS
    ]
    if not rows:
        return "Not measured yet."
    head = "| what | µs of CPU each | all cores carry at most | of it |\n|---|---:|---:|---|\n"
    return head + _lines(rows, lambda row: spending_line(row["name"], row["spent"], row["most"]))


def _size(size: int, rates: Mapping[str, float]) -> str:
    rate, first = rates.get(growing.name_of(size)), rates.get(growing.name_of(growing.SIZES[0]))
    if rate is None or not first:
        return f"| {size:,} | – | – |"
    return f"| {size:,} | {number_text(rate)} | {rate / first:.0%} |"


def _read(row: Mapping[str, Any]) -> str:
    slowest = row.get("latency", {}).get("p99")
    waited = number_text(slowest) if slowest is not None else "–"
    rate = number_text(row["median"]) if row["median"] is not None else "–"
    return f"| {row['name']} | {row['note']} | {rate} | {waited} |"


def _disk(facts: Mapping[str, str]) -> str:
    if BYTES_AN_ENTRY not in facts:
        return "Not measured yet."
    log = _number(facts[BYTES_AN_ENTRY])
    text = (
        f"An entry takes {log:,} bytes in PostgreSQL with all that belongs to it: envelope, "
        "sealed value, hashes, keys and their indexes, without read models."
    )
    if BYTES_IN_ALL in facts:
        text += (
            f" With those, the key database and the feed's copy it is {facts[BYTES_IN_ALL]} bytes."
        )
    gigabytes = _bytes(facts) * _ENTRIES_A_CHILD * 1_000_000 / _GIGABYTE
    return (
        f"{text} A million children with {_ENTRIES_A_CHILD} entries each take "
        f"{number_text(gigabytes)} GB."
    )


def _first_on_disk(rates: Mapping[str, float], facts: Mapping[str, str]) -> str:
    """How many children a disk of a terabyte holds, and how long it takes to fill."""
    if BYTES_AN_ENTRY not in facts:
        return "Not measured yet."
    entries = _TERABYTE / _bytes(facts)
    children, yearly = entries / _ENTRIES_A_CHILD, _BIRTHS * _ENTRIES_A_CHILD
    text = (
        f"A disk of 1 TB holds {number_text(children)} children with the {_ENTRIES_A_CHILD} "
        f"entries of their first six years each: {number_text(children / _BIRTHS)} years of a "
        f"province with {_BIRTHS:,} births a year, whose {yearly:,} entries a year are "
        f"{number_text(yearly / _WORKING_DAYS)} on each of {_WORKING_DAYS} working days."
    )
    needed = [rates[way.row] for way in _WAYS if way.is_needed and way.row in rates]
    if not needed:
        return text
    days = entries / _a_day(min(needed))
    return (
        f"{text} Whole days at the narrowest of the rates above would fill it in "
        f"{number_text(days)} days. So in ordinary years the disk ends first, on the day of a "
        "campaign the processors."
    )


def _bytes(facts: Mapping[str, str]) -> int:
    return _number(facts.get(BYTES_IN_ALL, facts[BYTES_AN_ENTRY]))


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _province(
    rates: Mapping[str, float], medians: Mapping[str, float | None], facts: Mapping[str, str]
) -> str:
    """The school check of a province of ten million children, reckoned from what was measured."""
    small, large = medians.get(county.SMALL_ROLL_UP), medians.get(county.ROLL_UP)
    bulk = rates.get(f"{over_http.BULK}, 1,000 lines")
    if not small or not large or not bulk or BYTES_AN_ENTRY not in facts:
        return "Not measured yet."
    checked = _PROVINCE_CHILDREN * _CHECKED_COHORTS // _COHORTS
    entries = checked * _ENTRIES_A_CHECK
    size = _bytes(facts)
    seconds = large / 1_000 * checked / county.CHILDREN
    return (
        f"Of {_PROVINCE_CHILDREN:,} children in {_COHORTS} cohorts, {_CHECKED_COHORTS} cohorts "
        f"enter a kindergarten or a school: {checked:,} checks a year. With notice, enrolment, "
        f"check and re-check that is {entries:,} entries, {number_text(entries / _SCHOOL_DAYS)} on "
        f"each of {_SCHOOL_DAYS} school days in September: "
        f"{entries / _SCHOOL_DAYS / _a_day(bulk):.1%} of a day of batches, and "
        f"{number_text(entries * size / _GIGABYTE)} GB a year.\n\n"
        f"A county's roll-up counts that county's children alone: {number_text(small)} ms for "
        f"{county.CHILDREN // 10:,} children beside {county.CHILDREN:,} of others, "
        f"{number_text(large)} ms for {county.CHILDREN:,}. The whole province's takes "
        f"{number_text(seconds)} s if it grows no faster than its children."
    )
