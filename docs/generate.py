"""Write the documents that could drift from the code, or check that they have not.

python docs/generate.py           writes them
python docs/generate.py --check   exits 1 and names each that differs
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from api.app import openapi_document
from api.permission_table import permissions_markdown
from benchmarks.telling import told
from bootstrap.migrate import PINNED, pins
from bootstrap.settings_page import settings_markdown
from client.asyncapi import asyncapi_document
from domain.duplicates import likenesses_markdown
from domain.quality import checks_markdown
from domain.topics import catalogue_markdown

ROOT = Path(__file__).parent
REPOSITORY = ROOT.parent


def _openapi() -> str:
    return json.dumps(openapi_document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _asyncapi() -> str:
    return json.dumps(asyncapi_document(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


DOCUMENTS: Mapping[str | Path, Callable[[], str]] = {
    "asyncapi.json": _asyncapi,
    "openapi.json": _openapi,
    "events/README.md": catalogue_markdown,
    "settings.md": settings_markdown,
    "permissions.md": permissions_markdown,
    "data-quality.md": lambda: f"{checks_markdown()}\n{likenesses_markdown()}",
    PINNED: pins,
    "growth.md": lambda: told()[ROOT / "growth.md"],
    REPOSITORY / "README.md": lambda: told()[REPOSITORY / "README.md"],
}


def main(*, check: bool) -> int:
    """Write or compare every document.

    Returns:
        The number of documents that differ, always 0 after writing.
    """
    stale = 0
    for name, make in DOCUMENTS.items():
        path = ROOT / name
        text = make()
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            found = path.relative_to(REPOSITORY)
            print(f"{found} is not what the code says: run `make docs`")  # noqa: T201 - a command
            stale += 1
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(1 if main(check="--check" in sys.argv) else 0)
