"""What runs by itself, told on the page on growth from the file that its last whole run left."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import growing, limits, reading
from benchmarks.report import spending_line
from benchmarks.rows import number_text

_FACTS = ("date", "commit", "processor", "durability")
_SPENDING = "| what | µs of CPU each | all cores carry at most | of it |\n|---|---:|---:|---|"


def load(results: Path, name: str) -> Mapping[str, Any] | None:
    """Return what a group that runs by itself has left; None if it never ran.

    Args:
        results: The folder of the whole run.
        name: Of the group.
    """
    path = results / name / "latest.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def population(run: Mapping[str, Any] | None) -> str:
    """Return the reads over a million children."""
    if run is None:
        return "Not measured yet: `python -m benchmarks --only population`."
    lines = ["| what | asked | answered a second | p50 | p99 |", "|---|---|---:|---:|---:|"]
    for row in run["rows"]:
        name, waited = row["name"].partition(reading.AMONG)[0], row["latency"]
        answered = number_text(row["median"])
        p50, p99 = (number_text(waited.get(share)) for share in ("p50", "p99"))
        lines.append(f"| {name} | {row['note']} | {answered} | {p50} | {p99} |")
    spent = [
        spending_line(row["name"].partition(reading.AMONG)[0], row["spent"], row["most"])
        for row in run["rows"]
    ]
    parts = (_when(run), "\n".join(lines), "\n".join([_SPENDING, *spent]), _missed(run))
    return "\n\n".join(parts)


def _missed(run: Mapping[str, Any]) -> str:
    if all(aim["is_reached"] for aim in run["aims"]):
        return "All are below 10 ms."
    return f"What is missed, and its limit:\n\n{limits.table(run)}"


def tenmillion(run: Mapping[str, Any] | None) -> str:
    """Return the appends beside ten million entries."""
    if run is None:
        return "Ten million: not measured yet, `python -m benchmarks --only tenmillion`."
    rates = {row["name"]: row["median"] for row in run["rows"]}
    first, last = (rates[growing.name_of(size)] for size in growing.LONG)
    spent = [spending_line(row["name"], row["spent"], row["most"]) for row in run["rows"]]
    return (
        f"Beside {growing.LONG[1]:,} entries {number_text(last)} a second, beside "
        f"{growing.LONG[0]:,} in turns with it {number_text(first)}: {last / first:.0%}. "
        f"{_when(run)}\n\n" + "\n".join([_SPENDING, *spent])
    )


def memory(run: Mapping[str, Any] | None) -> str:
    """Return the resident memory over the soak's time."""
    if run is None:
        return "Not measured yet: `make soak`."
    lines = [
        "| part | MiB half-way | at the end | at most | MiB an hour |",
        "|---|---:|---:|---:|---:|",
        *(_part(name, sizes) for name, sizes in run["parts"].items()),
    ]
    facts = run["facts"]
    return (
        f"{facts['date']}, {facts['minutes']:g} minutes at {facts['writes a second']:g} writes a "
        "second over HTTP, half of what the same installation took at full load unless another "
        f"rate was asked for, and {facts['reads a second']} reads a second. The slope is that of "
        "the second half: caches and pools fill in the first.\n\n" + "\n".join(lines)
    )


def _part(name: str, sizes: Mapping[str, float]) -> str:
    cells = (sizes.get(at) for at in ("half-way", "at the end", "at most"))
    told = ["–" if size is None else f"{size:.0f}" for size in cells]
    return f"| {name} | {' | '.join(told)} | {sizes['an hour']:+.1f} |"


def _when(run: Mapping[str, Any]) -> str:
    facts = run["facts"]
    told = [facts[name] for name in _FACTS if name in facts]
    if "load before" in facts:
        told.append(f"load {facts['load before']} before")
    return f"Measured by itself: {'; '.join(told)}."
