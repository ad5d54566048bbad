"""docs/faults.md: each step has every kind of fault, and each test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
STEPS = 15
KINDS = ("SIGKILL", "fails, not stored", "fails, yet stored", "power cut", "EIO", "ENOSPC")
PROCESSES = {
    "API", "integrator", "projector", "publisher", "custodian", "calendar", "witness",
    "PostgreSQL", "NATS", "supervisor",
}  # fmt: skip


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, or of the one behind some words."""
    _, _, rest = PAGE.partition(heading)
    lines = rest.partition("\n|")[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def marks(cells: list[str]) -> set[str]:
    return {mark for cell in cells for mark in cell.split(", ")}


def test_every_step_has_every_kind_of_fault():
    head, _, *rows = table("## Steps")
    assert head[1:7] == list(KINDS)
    assert len({row[0] for row in rows}) == STEPS
    assert [row for row in rows if len(row) != len(head) or not all(row)] == []


def test_every_process_is_killed_frozen_rivalled_and_its_disk_fails():
    head, _, *rows = table("## Processes")
    assert {row[0] for row in rows} == PROCESSES
    assert [row for row in rows if len(row) != len(head) or not all(row)] == []


def test_every_mark_is_a_test_that_is_there_or_a_reason():
    named = {mark: name.strip("`") for mark, name in table("## Where")[2:]}
    reasons = dict(table("Why a kind is not played")[2:])
    steps = [row[1:-1] for row in table("## Steps")[2:]]
    processes = [row[1:] for row in table("## Processes")[2:]]
    clocks = re.search(r"^Clocks that jump.*", PAGE, re.MULTILINE)
    pairs = re.search(r"^Two at once: (?:.+\n)+", PAGE, re.MULTILINE)
    assert clocks
    assert pairs
    used = marks([cell for row in (*steps, *processes) for cell in row])
    used |= set(re.findall(r"\bC\d\b", clocks[0]))
    used |= {mark for listed in re.findall(r"\(([^)]+)\)", pairs[0]) for mark in listed.split(", ")}
    assert used == named.keys() | reasons.keys()
    wrong = []
    for name in named.values():
        file, _, test = name.partition("::")
        path = ROOT / "tests" / file
        if not path.exists() or f"def {test}(" not in path.read_text(encoding="utf-8"):
            wrong.append(name)
    assert wrong == []
