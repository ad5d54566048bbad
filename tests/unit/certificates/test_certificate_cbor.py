"""Deterministic CBOR against RFC 8949's examples, and every other spelling of a value."""

import cbor2
import pytest

from certificates.cbor import MAX_DEPTH, MAX_ITEMS, Sign1Tag, decode, encode
from certificates.errors import CborError

RFC_8949_EXAMPLES = {
    "00": 0,
    "17": 23,
    "1818": 24,
    "1903e8": 1000,
    "1a000f4240": 1000000,
    "1bffffffffffffffff": 18446744073709551615,
    "20": -1,
    "3903e7": -1000,
    "3bffffffffffffffff": -18446744073709551616,
    "f4": False,
    "f5": True,
    "f6": None,
    "4401020304": b"\x01\x02\x03\x04",
    "60": "",
    "62c3bc": "ü",
    "63e6b0b4": "水",
    "80": [],
    "8301820203820405": [1, [2, 3], [4, 5]],
    "a201020304": {1: 2, 3: 4},
    "a56161614161626142616361436164614461656145": dict(zip("abcde", "ABCDE", strict=True)),
}


@pytest.mark.parametrize(("raw", "value"), RFC_8949_EXAMPLES.items())
def test_the_examples_of_the_rfc_hold_in_both_directions(raw, value):
    assert encode(value).hex() == raw
    assert decode(bytes.fromhex(raw)) == value
    assert cbor2.loads(encode(value)) == value


@pytest.mark.parametrize("number", [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1])
def test_the_borders_of_each_width_are_those_of_another_implementation(number):
    for value in (number, -1 - number):
        assert encode(value) == cbor2.dumps(value)
        assert decode(encode(value)) == value


def test_a_signed_structure_is_the_one_tag():
    raw = encode(Sign1Tag((b"", {}, b"", b"")))
    assert raw.hex() == "d28440a04040"
    assert decode(raw) == Sign1Tag([b"", {}, b"", b""])


def test_keys_stand_in_the_order_of_their_bytes():
    assert encode({-1: 0, 24: 0, 1: 0, "a": 0}).hex() == "a4010018180020006161" + "00"


OTHER_SPELLINGS = {
    "1817": "23 in two bytes",
    "1900ff": "255 in three bytes",
    "1a0000ffff": "65535 in five bytes",
    "1b00000000ffffffff": "2^32-1 in nine bytes",
    "3817": "-24 in two bytes",
    "5801ff": "a byte string with a long length",
    "7803616263": "a text with a long length",
    "980101": "an array with a long length",
    "b8010101": "a map with a long length",
    "5f4101ff": "an indefinite byte string",
    "7f6161ff": "an indefinite text",
    "9f01ff": "an indefinite array",
    "bf0101ff": "an indefinite map",
    "a201010102": "a double key",
    "a202010101": "keys out of order",
    "a10101" + "00": "a byte behind the value",
    "d81201": "the tag in two bytes",
}


@pytest.mark.parametrize("raw", OTHER_SPELLINGS, ids=OTHER_SPELLINGS.get)
def test_another_spelling_of_a_value_is_refused(raw):
    with pytest.raises(CborError):
        decode(bytes.fromhex(raw))


FOREIGN = {
    "": "nothing",
    "f97e00": "a float",
    "fb3ff199999999999a": "a double",
    "f7": "undefined",
    "f0": "an unassigned simple value",
    "f8ff": "a simple value in two bytes",
    "ff": "a break",
    "1c": "a reserved length",
    "c11a514b67b0": "a time",
    "c249010000000000000000": "a large number",
    "d82363612b2b": "a regular expression",
    "d81c80": "a shared value",
    "d81d00": "a reference",
    "d9d9f700": "a self-description",
    "a1f500": "true as a key",
    "a1f600": "null as a key",
    "a1800100": "an array as a key",
    "a1410000": "bytes as a key",
    "62c328": "a text that is no UTF-8",
    "63eda080": "a lone surrogate",
    "61": "a text that ends early",
    "19ff": "a number that ends early",
    "8301": "an array that ends early",
    "a1": "a map that ends early",
    "a101": "a key without value",
}


@pytest.mark.parametrize("raw", FOREIGN, ids=FOREIGN.get)
def test_what_we_never_write_is_refused(raw):
    with pytest.raises(CborError):
        decode(bytes.fromhex(raw))


@pytest.mark.parametrize("head", ["9b7fffffffffffffff", "bb7fffffffffffffff", "5b7fffffffffffffff"])
def test_a_length_beyond_the_document_is_refused_before_anything_is_made(head):
    with pytest.raises(CborError, match="ends too early"):
        decode(bytes.fromhex(head))


def test_a_huge_honest_array_is_refused_by_count():
    within = encode([0] * (MAX_ITEMS - 1))
    assert len(decode(within)) == MAX_ITEMS - 1
    with pytest.raises(CborError, match="too many"):
        decode(encode([0] * MAX_ITEMS))
    assert len(decode(encode([0] * MAX_ITEMS), max_items=MAX_ITEMS + 1)) == MAX_ITEMS


@pytest.mark.parametrize("level", [b"\x81", b"\xa1\x00", b"\xd2"], ids=["array", "map", "tag"])
def test_a_deep_document_is_refused_without_recursion(level):
    decode(level * MAX_DEPTH + b"\x00")
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(CborError, match=r"too deep|ends too early"):
            decode(level * depth + b"\x00")


@pytest.mark.parametrize("value", [2**64, -(2**64) - 1, 1.5, {1, 2}, "\ud800", object()])
def test_what_cannot_be_read_is_not_written(value):
    with pytest.raises(CborError):
        encode(value)
