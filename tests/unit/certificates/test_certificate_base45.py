"""Base45 against the examples of RFC 9285, and every text that is nobody's spelling."""

import pytest

from certificates.base45 import ALPHABET, decode, encode
from certificates.errors import Base45Error

EXAMPLES = {b"": "", b"AB": "BB8", b"Hello!!": "%69 VD92EX0", b"base-45": "UJCLQE7W581"}


@pytest.mark.parametrize(("raw", "text"), EXAMPLES.items())
def test_the_examples_of_the_rfc_hold_in_both_directions(raw, text):
    assert encode(raw) == text
    assert decode(text) == raw


def test_every_pair_of_bytes_has_one_text():
    texts = {encode(number.to_bytes(2)) for number in range(65536)}
    assert len(texts) == 65536
    assert all(len(text) == 3 for text in texts)
    assert encode(b"\xff\xff") == "FGW"


@pytest.mark.parametrize("text", ["A", "BB8A", "FGWFGWA"])
def test_a_single_last_character_is_refused(text):
    with pytest.raises(Base45Error, match="single character"):
        decode(text)


@pytest.mark.parametrize("text", ["GGW", ":::", "BB8:::", "::", "V5", "BB8V5"])
def test_a_group_beyond_its_bytes_is_refused(text):
    """65,536 in three characters, 256 in two: other readers wrap them round."""
    with pytest.raises(Base45Error, match="more than its bytes"):
        decode(text)


@pytest.mark.parametrize(
    "text", ["bb8", "BB8\n", "BBÄ", "BB_", "１２３", "BB\x00", "\ud800BB", "__"]
)
def test_a_foreign_character_is_refused(text):
    with pytest.raises(Base45Error):
        decode(text)


def test_the_alphabet_is_the_one_of_the_alphanumeric_mode():
    assert len(set(ALPHABET)) == 45
    assert ALPHABET[10] == "A"
    assert ALPHABET[36:] == " $%*+-./:"
