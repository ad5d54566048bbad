"""QR codes read back by a decoder that is not ours."""

import struct
import zlib

import zxingcpp


def pixels(png: bytes) -> list[bytearray]:
    """The rows of a PNG of one bit a pixel; a byte a pixel here, 255 is white."""
    at, idat, palette = 8, b"", False
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", content[:10])
            assert (depth, colour) == (1, 0)
        idat += content if kind == b"IDAT" else b""
        palette |= kind == b"PLTE"
        at += 12 + length
    assert not palette
    raw, stride = zlib.decompress(idat), (width + 7) // 8 + 1
    rows, above = [], bytes(stride - 1)
    for start in range(0, height * stride, stride):
        line = raw[start + 1 : start + stride]
        assert raw[start] in (0, 2), "rows are as they are, or as a difference from the one above"
        if raw[start]:
            line = bytes((low + high) % 256 for low, high in zip(line, above, strict=True))
        rows.append(bytearray(255 * (line[x >> 3] >> (7 - (x & 7)) & 1) for x in range(width)))
        above = line
    return rows


def read_back(rows: list[bytearray]) -> str | None:
    image = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
    found = zxingcpp.read_barcode(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text if found else None


def blotted(rows: list[bytearray], share: float) -> list[bytearray]:
    """The image with a black square of that share of its area, away from the finder patterns."""
    side = int(len(rows) * share**0.5)
    middle = len(rows) // 2
    stained = [bytearray(row) for row in rows]
    for row in stained[middle : middle + side]:
        row[middle : middle + side] = bytes(side)
    return stained
