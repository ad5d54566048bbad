"""Whose processor time a turn takes: of this process and of all that it has started.

What a machine carries ends where its cores are full, whoever fills them. Beside a rate stands
therefore what each of its units cost, and the rate at which all cores would do nothing else.
"""

import os
from collections.abc import Mapping
from pathlib import Path

GENERATOR = "generator"
"""The process that measures: whoever calls, and what runs in its place."""

_NAMES = {"postgres": "PostgreSQL", "nats-server": "NATS", "python": "others"}
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PARENT, _TIMES = 1, slice(11, 15)
"""Members of a line of /proc/PID/stat behind the name (proc(5)); ended children count as well."""
_LEAST_SHARE = 0.01


def spent() -> dict[str, float]:
    """Return the seconds of CPU so far by name of process."""
    children: dict[int, list[int]] = {}
    seen: dict[int, tuple[str, float]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = place.read_text(errors="replace").rpartition(")")
        except OSError:
            continue  # it has ended
        number, _, name = head.partition(" (")
        members = tail.split()
        children.setdefault(int(members[_PARENT]), []).append(int(number))
        seen[int(number)] = name, sum(map(int, members[_TIMES])) / _TICKS_A_SECOND
    total: dict[str, float] = {}
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        name, seconds = seen[pid]
        name = GENERATOR if pid == os.getpid() else _NAMES.get(name, name)
        total[name] = total.get(name, 0.0) + seconds
    return total


def each(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """Return the microseconds of CPU a unit by name, most first; what took none is left out."""
    taken = {name: after[name] - before.get(name, 0.0) for name in after}
    shown = {name: 1e6 * seconds / count for name, seconds in taken.items() if seconds > 0}
    return dict(sorted(shown.items(), key=lambda one: -one[1]))


def shares(spending: Mapping[str, float]) -> str:
    """Return whose it is, in percent; what is less than one is left out."""
    whole = sum(spending.values())
    return ", ".join(
        f"{name} {one / whole:.0%}" for name, one in spending.items() if one >= _LEAST_SHARE * whole
    )


def limit(spending: Mapping[str, float]) -> float:
    """Return how many units a second all cores of this machine would do, and nothing else."""
    return 1e6 * (os.cpu_count() or 1) / sum(spending.values())
