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


def film(rows: list[bytearray]) -> bytes:
    """The image on white as a film of one frame that goes round (YUV4MPEG2), for a false camera."""
    size = (len(rows) + 200) // 2 * 2
    above, beside = (size - len(rows)) // 2, (size - len(rows[0])) // 2
    luma = [bytearray(b"\xff" * size) for _ in range(size)]
    for line, row in zip(luma[above:], rows, strict=False):
        line[beside : beside + len(row)] = row
    chroma = b"\x80" * (size * size // 2)
    head = f"YUV4MPEG2 W{size} H{size} F10:1 Ip A1:1 C420jpeg\nFRAME\n".encode()
    return head + b"".join(luma) + chroma


def blotted(rows: list[bytearray], share: float) -> list[bytearray]:
    """The image with a black square of that share of its area, away from the finder patterns."""
    side = int(len(rows) * share**0.5)
    middle = len(rows) // 2
    stained = [bytearray(row) for row in rows]
    for row in stained[middle : middle + side]:
        row[middle : middle + side] = bytes(side)
    return stained
