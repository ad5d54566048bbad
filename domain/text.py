"""The forms of text in a field, for Python and, as `pattern`, for any reader of a JSON Schema.

All are regular expressions of ECMA-262 and of Python alike.
"""

from __future__ import annotations

import re

_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
_SPACES = r" \xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
"""What `str.strip` takes off beside control characters."""
_NOT_PLAIN = re.compile(rf"[{_CONTROLS}\ud800-\udfff]").search

# Lone surrogates are not named: no UTF-8 text holds one, and a regex engine that knows no code
# points would see halves of rare characters.
PLAIN = rf"[^{_CONTROLS}{_SPACES}](?:[^{_CONTROLS}]*[^{_CONTROLS}{_SPACES}])?"
"""What `is_plain` tells of a text that is not empty."""
UNQUOTED_PLAIN = rf'[^{_CONTROLS}{_SPACES}"\\](?:[^{_CONTROLS}"\\]*[^{_CONTROLS}{_SPACES}"\\])?'
"""Such a text in which JSON escapes nothing."""

UUID_TEXT = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_UUID = re.compile(UUID_TEXT).fullmatch

DAY = (
    "(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
"""YYYY-MM-DD of every day from year 1 to 9999; a schema's `format` alone binds no reader."""


def is_plain(text: str) -> bool:
    """Whether a text is one line without control characters, lone surrogates or outer spaces.

    A fixed list rather than `str.isprintable`: rare characters of names are newer than the
    Unicode tables of some Python, and a replay must read what was once written.
    """
    return text == text.strip() and _NOT_PLAIN(text) is None


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in lower case with hyphens."""
    return _UUID(text) is not None


def whole(regex: str) -> str:
    """The `pattern` of a JSON Schema that a whole text matches.

    In Python `$` is also the place before a last line feed; the lookahead excludes it there, and
    says nothing in ECMA-262.
    """
    return rf"^(?:{regex})(?!\n)$"
