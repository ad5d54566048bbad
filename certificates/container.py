"""The text of a credential: ``HC1:``, Base45, zlib (HCERT, hcert-spec 1.0.8 section 4).

    text = "HC1:" base45(zlib(COSE_Sign1))

The limits come first: a text is read no further than the largest code could hold, and inflated no
further than an honest credential reaches, whatever its bytes claim.
"""

import zlib

from certificates.base45 import decode, encode
from certificates.errors import ContainerError

PREFIX = "HC1:"

MAX_CHARS = 4296
"""Alphanumeric characters of the largest QR code there is (version 40, level L)."""

MAX_BYTES = 16_384
"""Inflated: a COSE_Sign1 with some 400 doses."""

_BEST = 9


def encode_container(signed: bytes) -> str:
    """Return the text of a COSE_Sign1 structure.

    Raises:
        ContainerError: If it is larger than a reader accepts.
    """
    if len(signed) > MAX_BYTES:
        raise ContainerError("A credential is at most 16,384 bytes.", size=len(signed))
    text = PREFIX + encode(zlib.compress(signed, _BEST))
    if len(text) > MAX_CHARS:
        raise ContainerError("A credential is at most 4,296 characters.", size=len(text))
    return text


def decode_container(text: str) -> bytes:
    """Return the bytes in a text, which are not yet known to be anybody's.

    Raises:
        ContainerError: If it is longer than 4,296 characters, has another prefix, or does not
            inflate to at most 16,384 bytes with nothing behind them.
        Base45Error: If it is not Base45.
    """
    if len(text) > MAX_CHARS:
        raise ContainerError("A credential is at most 4,296 characters.", size=len(text))
    if not text.startswith(PREFIX):
        raise ContainerError("A credential begins with HC1:.")
    return inflate(decode(text.removeprefix(PREFIX)), MAX_BYTES)


def inflate(packed: bytes, limit: int) -> bytes:
    """Return what one zlib stream (RFC 1950) holds, never more than `limit` bytes of it.

    Raises:
        ContainerError: If it is no whole stream, holds more, or something follows it.
    """
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(packed, limit + 1)
    except zlib.error as error:
        raise ContainerError("The content does not inflate.") from error
    if len(raw) > limit:
        raise ContainerError("The content inflates to more than is read.", limit=limit)
    if not stream.eof or stream.unused_data:
        raise ContainerError("The content ends too early, or something follows it.")
    return raw
