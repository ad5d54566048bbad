"""docs/doctor.md: every trap that the doctor knows, each set in a test."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
TESTS = (ROOT / "tests" / "integration" / "test_doctor.py").read_text(encoding="utf-8")
NOT_SET = {
    "half-founded": "integration/test_founding.py interrupts a founding and asks for it",
    "no-init": "the first process of this machine is not ours to choose",
    "disk-full": "a disk is filled beneath both servers by crash/test_faulty_disk.py",
    "old-nats": "no older server can be had here",
    "parked-messages": "integration/feed/test_feed_parked.py parks messages and finds them",
}


def traps() -> dict[str, bool]:
    """Each trap of the code, and whether it is refused."""
    found = {}
    for path in (ROOT / "bootstrap" / "diagnosis").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Trap":
                name = node.args[0]
                assert isinstance(name, ast.Constant)
                found[name.value] = any(word.arg == "is_refused" for word in node.keywords)
    return found


def test_the_page_has_every_trap_and_whether_it_is_refused():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (yes)? ?\| .+ \| .+ \|$", PAGE, re.MULTILINE)
    assert {name: refused == "yes" for name, refused in rows} == traps()


def test_every_measured_trap_has_a_doctor_or_a_guard():
    _, _, measured = PAGE.partition("## Traps that were measured beforehand")
    rows = [row.strip("|").split("|") for row in re.findall(r"^\|.*\|$", measured, re.MULTILINE)]
    assert [row for row in rows if len(row) != 3 or not (row[1] + row[2]).strip()] == []
    assert set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", "".join(row[1] for row in rows))) <= set(
        traps()
    )


def test_every_trap_is_set_in_a_test_or_said_why_not():
    assert {name for name in traps() if f'"{name}"' not in TESTS} == set(NOT_SET)
