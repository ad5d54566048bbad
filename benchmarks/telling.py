"""What the last whole run says, told where people read: the README's table, and the page on growth.

Both follow from `latest.json` alone, and from those of groups that run by themselves, in folders
beside it; a test compares them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import growth_page
from benchmarks.report import ASKED_FOR, RESULTS

ROOT = Path(__file__).resolve().parents[1]
LATEST = RESULTS / "latest.json"

_BEGIN, _END = "<!-- measured -->\n", "<!-- /measured -->\n"
_FACTS = ("date", "commit", "processor", "system", "durability", "payload", "run")


def tell(root: Path = ROOT, latest: Path = LATEST) -> None:
    """Write README and page anew."""
    for path, text in told(root, latest).items():
        path.write_text(text, encoding="utf-8")


def told(root: Path = ROOT, latest: Path = LATEST) -> dict[Path, str]:
    """Return what README and page should be, by their paths."""
    measured = json.loads(latest.read_text(encoding="utf-8"))
    readme = root / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return {
        readme: f"{before}{_BEGIN}{_table(measured)}{_apart(latest)}{_END}{after}",
        root / "docs" / "growth.md": growth_page.page(measured, latest.parent),
    }


def _table(measured: Mapping[str, Any]) -> str:
    facts = measured["facts"]
    lines = [f"- {name}: {facts[name]}" for name in _FACTS if name in facts]
    lines += ["", "| what | to reach | measured | reached |", "|---|---|---:|---|"]
    return "\n".join(lines + [_aim(aim, "") for aim in measured["aims"]]) + "\n"


def _apart(latest: Path) -> str:
    """Aims of the groups that run by themselves, each with the day of its run."""
    paths = [latest.parent / name / latest.name for name in sorted(ASKED_FOR)]
    found = [json.loads(path.read_bytes()) for path in paths if path.exists()]
    return "".join(
        _aim(aim, f", by itself, {run['facts']['date']}") + "\n"
        for run in found
        for aim in run["aims"]
    )


def _aim(aim: Mapping[str, Any], when: str) -> str:
    verdict = "yes" if aim["is_reached"] else "**no**"
    return f"| {aim['what']}{when} | {aim['wanted']} | {aim['measured']} | {verdict} |"
