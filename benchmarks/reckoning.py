"""What each missed aim leaves for one, what one takes, and how many cores would do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from benchmarks import appending, importing, over_http, peers, pricing
from benchmarks.rows import number_text

_NOT_INTERPRETERS = frozenset({"PostgreSQL", "NATS", "others"})
_MICRO = 1e6
_FULL = 0.5
"""Beyond which those who wait for one interpreter wait longer than they are served."""
_BUSY = 0.9
"""Of a core, that a process can really have."""
_SAID = {"api": "interface", "generator": "that decides"}

_MOST = peers.CALLERS[-1]
_DESKS = tuple(peers.name_of(name, _MOST) for name in (appending.CHECKED_BEFORE, appending.DESK))
_STEPS = (
    ("append: idempotency, versions, guards, claims, hashes, commit", appending.READY),
    ("sealed and encoded before that", appending.SEALED),
    ("signature checked before that", appending.SIGNED),
    ("the record read, the dose decided on: the whole desk", appending.DESK),
)
_HTTP, _BULK = f"{over_http.DOSE}, 64 connections", f"{over_http.BULK}, 1,000 lines"


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One row beside its aim.

    Attributes:
        name: Of the row.
        aim: How many a second are wanted.
        spent: Microseconds of CPU each, by process.
        cores: Of the machine.
    """

    name: str
    aim: float
    spent: Mapping[str, float]
    cores: int

    @property
    def takes(self) -> float:
        """Microseconds of all processes."""
        return sum(self.spent.values())

    @property
    def leaves(self) -> float:
        """Microseconds of all cores that there are for each at the aim."""
        return _MICRO * self.cores / self.aim

    @property
    def fullest(self) -> tuple[str, float]:
        """The interpreter that has most to do, and its microseconds."""
        found = {name: one for name, one in self.spent.items() if name not in _NOT_INTERPRETERS}
        return max(found.items(), key=lambda one: one[1])

    @property
    def wanted(self) -> float:
        """Cores that the aim takes."""
        return self.aim * self.takes / _MICRO


def section(measured: Mapping[str, Any]) -> str:
    """Return what the missed aims come to, as Markdown.

    Args:
        measured: A run, as its JSON object has it.
    """
    rows = {row["name"]: row for row in measured["rows"]}
    found = {one.name: one for one in _reckoned(measured["aims"], rows)}
    if not found:
        return "Nothing that has its processor time measured is missed."
    table = [
        "| what | aim a second | leaves, µs | takes, µs | fullest interpreter | carries | cores |",
        "|---|---:|---:|---:|---|---:|---:|",
        *map(_line, found.values()),
    ]
    told = [text for tell in (_desk, _http, _bulk, _import, _reads) if (text := tell(found, rows))]
    return "\n\n".join(["\n".join(table), *told])


def steps(measured: Mapping[str, Any]) -> str:
    """Return what a dose takes at the desk, step by step, and what each safeguard takes there."""
    rows = {row["name"]: row for row in measured["rows"]}
    lines = ["| up to | µs of CPU | more |", "|---|---:|---:|"]
    before = 0.0
    for words, name in _STEPS:
        taken = _taken(rows, peers.name_of(name, _MOST))
        if not taken:
            return "Not measured yet."
        lines.append(f"| {words} | {number_text(taken)} | {number_text(taken - before)} |")
        before = taken
    return "\n".join([*lines, "", *_prices(rows)])


def _prices(rows: Mapping[str, Any]) -> Iterator[str]:
    """What the store does without one safeguard; by the clock, since its turns are too short."""
    rates = {name: rows.get(peers.name_of(name, _MOST), {}).get("median") for name in pricing.KINDS}
    whole = rates[pricing.WHOLE]
    if not whole:
        return
    yield "| left out at the append | µs by the clock | less |"
    yield "|---|---:|---:|"
    for name, rate in rates.items():
        if rate:
            less = number_text(_MICRO / whole - _MICRO / rate)
            yield f"| {name} | {number_text(_MICRO / rate)} | {less} |"


def _reckoned(aims: Sequence[Mapping[str, Any]], rows: Mapping[str, Any]) -> Iterator[Reckoned]:
    for aim in aims:
        row = rows.get(aim["what"]) or rows.get(aim["what"].removesuffix(", p99"))
        if aim["is_reached"] or row is None or not row.get("spent"):
            continue
        if row["group"] == "reads":
            wanted = row["median"]  # an open loop: what is asked, and too slowly answered
        elif row["group"] in {"appends", "http"} and row["name"] == aim["what"]:
            wanted = _number(aim["wanted"])
        else:
            continue
        cores = round(row["most"] * sum(row["spent"].values()) / _MICRO)
        yield Reckoned(row["name"], wanted, row["spent"], cores)


def _number(wanted: str) -> float:
    """The number behind the words of an aim, which have none behind their last comma and space."""
    return float(wanted.rpartition(", ")[2].replace(",", ""))


def _line(one: Reckoned) -> str:
    name, taken = one.fullest
    cells = (
        one.name,
        number_text(one.aim),
        number_text(one.leaves),
        number_text(one.takes),
        f"{name}, {number_text(taken)} µs: {one.aim * taken / _MICRO:.0%} full",
        number_text(_MICRO / taken),
        f"{one.wanted:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _taken(rows: Mapping[str, Any], name: str) -> float:
    return sum((rows.get(name, {}).get("spent") or {}).values())


_Found = Mapping[str, Reckoned]


def _desk(found: _Found, rows: Mapping[str, Any]) -> str:
    one = next((found[name] for name in _DESKS if name in found), None)
    if one is None:
        return ""
    append, sealed, signed = (
        _taken(rows, peers.name_of(name, _MOST))
        for name in (appending.READY, appending.SEALED, appending.SIGNED)
    )
    bare = one.takes - (sealed - append) - (signed - sealed if one.name == _DESKS[1] else 0.0)
    verdict = (
        "So no safeguard is what misses it."
        if bare > one.leaves
        else "So the safeguards are what misses it."
    )
    return (
        f"**The desk.** Without its signature's check and without sealing, a dose would take "
        f"{number_text(bare)} µs where the aim leaves {number_text(one.leaves)}: what is left is "
        "the append and the decision (the record read and folded, permission, rules). "
        f"{verdict} {_processes(one)}"
    )


def _http(found: _Found, _: Mapping[str, Any]) -> str:
    if (one := found.get(_HTTP)) is None:
        return ""
    fits = one.wanted <= one.cores
    name, taken = one.fullest
    full = f"{one.aim * taken / _MICRO:.0%}"
    begins = (
        f"All cores together would do: {one.wanted:.1f} of {one.cores}. But the "
        f"{_SAID.get(name, name)} is one interpreter, {full} full at the aim with a core that "
        "nobody disturbs, and everything else takes its turns on the same cores."
        if fits
        else f"The cores would have to be {one.wanted:.1f}, and there are {one.cores}."
    )
    return f"**A dose over HTTP.** {begins} {_processes(one)}"


def _bulk(found: _Found, _: Mapping[str, Any]) -> str:
    if (one := found.get(_BULK)) is None:
        return ""
    return f"**Batches.** {_without(one, {'api'}, 'the interface')} {_processes(one)}"


def _import(found: _Found, _: Mapping[str, Any]) -> str:
    if (one := found.get(importing.IMPORT)) is None:
        return ""
    both = _without(one, {"api", "generator"}, "the importer and the interface")
    return f"**Imports.** {both} {_processes(one)}"


def _without(one: Reckoned, names: set[str], words: str) -> str:
    rest = sum(taken for name, taken in one.spent.items() if name not in names)
    told = "more than" if rest > one.leaves else "of"
    return (
        f"If {words} took nothing at all, storing, checkpoint, views and feed would still take "
        f"{number_text(rest)} µs, {told} the {number_text(one.leaves)} that the aim leaves."
    )


def _processes(one: Reckoned) -> str:
    name, taken = one.fullest
    count = ceil(one.aim * taken / _MICRO / _BUSY)
    return (
        f"What would meet it: {max(ceil(one.wanted), count)} cores or more, and {count} processes "
        f"in place of the one {_SAID.get(name, name)}."
    )


def _reads(found: _Found, rows: Mapping[str, Any]) -> str:
    told = []
    for name, one in found.items():
        if rows[name]["group"] != "reads":
            continue
        share = one.aim * one.spent.get("api", 0.0) / _MICRO
        halves = (
            f"{ceil(share / _FULL)} processes would each be at most half full"
            if share > _FULL
            else "it waits for its own work, not for others': fewer queries are the way"
        )
        told.append(
            f"{name}: the interface is {share:.0%} full at {number_text(one.aim)} a second; "
            f"{halves}"
        )
    if not told:
        return ""
    return (
        "**Reads.** Whoever asks one interpreter that is more than half full mostly finds another "
        f"before; the slowest hundredth find several. {'. '.join(told)}."
    )
