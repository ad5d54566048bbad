"""Base45: bytes in the alphabet of a QR code's alphanumeric mode (RFC 9285).

Two bytes are three characters, a last single byte is two; each byte string has exactly one text.
Characters are handled in pairs by table, least significant first, as the RFC orders them.
"""

from certificates.errors import Base45Error

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

_PAIRS = tuple(low + high for high in ALPHABET for low in ALPHABET)
_PAIR_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_VALUES = {"": 0} | {char: value * len(_PAIRS) for value, char in enumerate(ALPHABET)}
_GROUP = 3


def encode(raw: bytes) -> str:
    """Return the text of a byte string."""
    groups = []
    for at in range(0, len(raw) - 1, 2):
        high, pair = divmod(raw[at] << 8 | raw[at + 1], len(_PAIRS))
        groups.append(_PAIRS[pair] + ALPHABET[high])
    if len(raw) % 2:
        groups.append(_PAIRS[raw[-1]])
    return "".join(groups)


def decode(text: str) -> bytes:
    """Return the bytes of a text.

    Raises:
        Base45Error: For a foreign character, a single last character, or a group that spells more
            than its bytes can hold.
    """
    if len(text) % _GROUP == 1:
        raise Base45Error("Base45 text ends in a single character.")
    raw = bytearray()
    try:
        for at in range(0, len(text), _GROUP):
            number = _PAIR_VALUES[text[at : at + 2]] + _VALUES[text[at + 2 : at + _GROUP]]
            raw += number.to_bytes(min(_GROUP, len(text) - at) - 1)
    except KeyError as error:
        raise Base45Error("This character is not of the Base45 alphabet.") from error
    except OverflowError as error:
        raise Base45Error("This group spells more than its bytes can hold.") from error
    return bytes(raw)
