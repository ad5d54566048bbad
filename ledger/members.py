"""Canonical JSON documents of authors' evidence, read member by member."""

from typing import Any

from ledger.errors import EntryError, EnvelopeError
from ledger.jcs import canonical, parse_canonical
from ledger.syntax import decode_base64

MAX_ENVELOPE_BYTES = 65_536


def encode_document(value: dict[str, Any]) -> bytes:
    """Return the canonical bytes of a document.

    Raises:
        EnvelopeError: If they exceed 65,536 bytes.
    """
    raw = canonical(value)
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EnvelopeError("An envelope is at most 65,536 bytes.", size=len(raw))
    return raw


def decode_document(raw: bytes) -> Any:
    """Read exactly canonical bytes.

    Raises:
        EnvelopeError: If they exceed 65,536 bytes or are not canonical.
    """
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise EnvelopeError("An envelope is at most 65,536 bytes.", size=len(raw))
    try:
        return parse_canonical(raw)
    except EntryError as error:
        raise EnvelopeError(error.message) from error


def read_object(value: Any, members: set[str]) -> dict[str, Any]:
    """Return an object that has exactly these members.

    Raises:
        EnvelopeError: If it has not.
    """
    if not isinstance(value, dict) or value.keys() != members:
        raise EnvelopeError("An object of the envelope has other members.", expected=members)
    return value


def read_list(value: Any) -> list[Any]:
    """Return an array.

    Raises:
        EnvelopeError: If it is none.
    """
    if not isinstance(value, list):
        raise EnvelopeError("A member of the envelope is no array.")
    return value


def read_text(value: Any) -> str:
    """Return a string.

    Raises:
        EnvelopeError: If it is none.
    """
    if not isinstance(value, str):
        raise EnvelopeError("A member of the envelope is no string.")
    return value


def read_bytes(value: Any) -> bytes:
    """Return the bytes that a string holds as base64.

    Raises:
        EnvelopeError: If it is no string or not canonical base64.
    """
    try:
        return decode_base64(read_text(value))
    except ValueError as error:
        raise EnvelopeError("A member of the envelope is not base64.") from error


def read_count(value: Any) -> int:
    """Return an integer of at least 0.

    Raises:
        EnvelopeError: If it is none.
    """
    if type(value) is not int or value < 0:
        raise EnvelopeError("A member of the envelope is no count.")
    return value
