"""The two field syntaxes that all C2SP texts share: base64 and decimal, strictly.

Each value has one spelling. Python's readers accept more (spare bits, signs, underscores, other
scripts' digits), which would let one proof or key have many texts.
"""

import binascii
import re

MAX_SIZE = 2**63 - 1
"""Largest tree size or index: what PostgreSQL's bigint and every peer can hold."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch


def encode_base64(raw: bytes) -> str:
    """Return standard base64 with padding (RFC 4648, section 4)."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Read standard base64 with padding, and only its canonical spelling.

    Raises:
        ValueError: For any other text.
    """
    try:
        raw = binascii.a2b_base64(text)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if encode_base64(raw) != text:  # which refuses all that the reader above overlooks
        raise ValueError("not canonical base64")
    return raw


def decode_decimal(text: str) -> int:
    """Read an ASCII decimal without leading zeroes, at most 2^63-1.

    Raises:
        ValueError: For any other text.
    """
    if _DECIMAL(text) is None or (number := int(text)) > MAX_SIZE:
        raise ValueError("not a decimal")
    return number
