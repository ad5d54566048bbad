"""Named queries: SQL lives in ``.sql`` files, each query under a line ``-- name: its_name``."""

import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def load_queries(file: str) -> Mapping[str, bytes]:
    """Return the queries of a file of this package by name.

    Args:
        file: File name, such as ``reading.sql``.
    """
    text = resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {
        name: body.strip().removesuffix(";").encode()
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
