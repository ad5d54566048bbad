"""Named SQL: each module's queries stand in the `.sql` file beside it."""

import re
from collections.abc import Mapping
from importlib import resources

_HEAD = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)
_PIECE = re.compile(r"-- piece of ([a-z_]+\.sql): ([a-z_]+)$", re.MULTILINE)


def named_queries(file: str) -> Mapping[str, bytes]:
    """Return the queries of a file of this package by their names.

    Args:
        file: Name of the file, such as `records.sql`. A query goes from its line `-- name: x` to
            the next; a comment `-- piece of other.sql: y` stands for that query.
    """
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    parts = _HEAD.split(_PIECE.sub(lambda found: named_queries(found[1])[found[2]].decode(), text))
    return {
        name: body.strip().encode() for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }
