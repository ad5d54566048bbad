"""The table of crash points says what the code has, and tests strike at each of them."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
STRUCK = ("test_append_crash.py", "test_integrator_crash.py", "test_recovery_crash.py")


def points_of_code() -> set[str]:
    """What is passed to every callable that is named `at` or `_at`."""
    found = set()
    for path in (ROOT / "ledger/store").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                argument = node.args[0]
                if name in ("at", "_at") and isinstance(argument, ast.Constant):
                    found.add(argument.value)
    return found


def test_the_table_has_every_point_once():
    rows = re.findall(
        r"^\| `([a-z ]+)` \|", (ROOT / "docs/crash-points.md").read_text(), re.MULTILINE
    )
    assert len(rows) == len(set(rows))
    assert set(rows) == points_of_code()


def test_every_point_is_struck():
    tests = [(ROOT / "tests/crash" / name).read_text() for name in STRUCK]
    assert {point for point in points_of_code() if f'"{point}"' not in "".join(tests)} == set()
