"""The container against bombs, giants and things behind the end."""

import tracemalloc
import zlib

import pytest

from certificates import base45, container
from certificates.container import (
    MAX_BYTES,
    MAX_CHARS,
    PREFIX,
    decode_container,
    encode_container,
    inflate,
)
from certificates.errors import Base45Error, CertificateError, ContainerError


def packed(raw: bytes) -> str:
    return PREFIX + base45.encode(raw)


def test_what_is_packed_comes_back():
    assert decode_container(encode_container(b"signed")) == b"signed"


def test_a_zip_bomb_is_stopped_at_the_limit():
    bomb = packed(zlib.compress(bytes(2_500_000), 9))
    assert len(bomb) < MAX_CHARS
    tracemalloc.start()
    with pytest.raises(ContainerError, match="inflates to more"):
        decode_container(bomb)
    assert tracemalloc.get_traced_memory()[1] < 400_000
    tracemalloc.stop()


def test_a_bomb_in_a_bomb_is_one_layer():
    inner = zlib.compress(bytes(10_000_000), 9)
    assert decode_container(packed(zlib.compress(inner[:16_000], 9))) == inner[:16_000]


def test_a_code_of_10_kb_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(container, "decode", pytest.fail)
    with pytest.raises(ContainerError, match=r"4,296 characters"):
        decode_container("HC1:" + "A" * 10_240)
    with pytest.raises(ContainerError, match=r"4,296 characters"):
        decode_container("A" * 50_000_000)


def test_the_limit_itself_is_read():
    assert len(inflate(zlib.compress(bytes(MAX_BYTES)), MAX_BYTES)) == MAX_BYTES
    with pytest.raises(ContainerError):
        inflate(zlib.compress(bytes(MAX_BYTES + 1)), MAX_BYTES)


@pytest.mark.parametrize(
    "text", ["", "HC1", "HC2:", "hc1:6BF", "6BF", " HC1:6BF", "SHC:/123", "https://example.cn"]
)
def test_another_prefix_is_refused(text):
    with pytest.raises(ContainerError, match="begins with HC1"):
        decode_container(text)


def test_trailing_bytes_are_refused_wherever_they_stand():
    stream = zlib.compress(b"signed", 9)
    for raw in (stream + b"\x00", stream + stream, stream[:-1], stream[:3], b"", b"\x00" * 8):
        with pytest.raises(ContainerError):
            decode_container(packed(raw))
    with pytest.raises(Base45Error):
        decode_container(packed(stream) + "A" * (1 + (len(stream) % 2 == 0)) + "\n")


def test_raw_deflate_and_gzip_are_refused():
    for wbits in (-15, 31):
        compressor = zlib.compressobj(9, zlib.DEFLATED, wbits)
        with pytest.raises(CertificateError):
            decode_container(packed(compressor.compress(b"signed") + compressor.flush()))


def test_a_preset_dictionary_is_refused():
    compressor = zlib.compressobj(9, zdict=b"signed")
    with pytest.raises(ContainerError):
        decode_container(packed(compressor.compress(b"signed") + compressor.flush()))


def test_no_text_is_made_that_would_not_be_read():
    with pytest.raises(ContainerError, match=r"16,384 bytes"):
        encode_container(bytes(MAX_BYTES + 1))
    incompressible = b"".join(number.to_bytes(2) for number in range(1, 60_000, 17))
    with pytest.raises(ContainerError, match=r"4,296 characters"):
        encode_container(incompressible)
