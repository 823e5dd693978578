"""The bounding box and the area of bitmaps: base64 of a zlib-compressed PNG, and the origin of its first pixel.

A PNG is read here without a decoder: the pixels of a mask are counted, and nothing else of it is needed. What is
larger than `LIMIT`, or unusual, has a bounding box and no area.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from autoflow.model.json_object import JsonObject

Box = list[float]  # top, left, bottom, right
LIMIT = 4_000_000  # bytes of a PNG, and of its pixels
_SLOW_LIMIT = 40_000  # bytes with the filters that are undone byte by byte: 15 ms
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _PALETTE, _GRAY_ALPHA, _RGBA = 0, 3, 4, 6
_CHANNELS = {_GRAY: 1, _PALETTE: 1, _GRAY_ALPHA: 2, _RGBA: 4}


class _Header(NamedTuple):
    width: int
    height: int
    depth: int
    color: int
    compression: int
    filter_method: int
    interlaced: int


def measure_bitmap(bitmap: JsonObject) -> tuple[Box | None, str | None]:
    """Return the bounding box and the number of set pixels as text, None for what cannot be determined."""
    origin = bitmap.get("origin")
    if not (isinstance(origin, list) and len(origin) == 2 and all(type(value) in (int, float) for value in origin)):
        return None, None
    try:
        png = _inflate(base64.b64decode(bitmap.get("data", "")))
        chunks = list(_chunks(png))
        header = _Header(*struct.unpack(">IIBBBBB", next(body for kind, body in chunks if kind == b"IHDR")))
        left, top = origin
        box: Box = [top, left, top + header.height - 1, left + header.width - 1]
        return box, _area(header, b"".join(body for kind, body in chunks if kind == b"IDAT"))
    except (ValueError, TypeError, binascii.Error, zlib.error, struct.error, StopIteration):
        return None, None


def _inflate(data: bytes) -> bytes:
    """Return decompressed bytes.

    Raises:
        ValueError: there are more than `LIMIT`.
    """
    decompressor = zlib.decompressobj()
    plain = decompressor.decompress(data, LIMIT)
    if decompressor.unconsumed_tail:
        raise ValueError("too large")
    return plain


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and body of each chunk."""
    if not png.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    start = len(_SIGNATURE)
    while start + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        yield kind, png[start + 8 : start + 8 + length]
        start += 12 + length


def _area(header: _Header, data: bytes) -> str | None:
    channels = _CHANNELS.get(header.color)
    is_packed = header.depth == 1 and channels == 1
    if header.interlaced or channels is None or not (is_packed or header.depth == 8):
        return None
    stride = -(-header.width // 8) if is_packed else header.width * channels
    if not stride or (stride + 1) * header.height > LIMIT:
        return None
    pixels = _inflate(data)
    filters = pixels[:: stride + 1]
    if len(pixels) < (stride + 1) * header.height or sum(kind > 2 for kind in filters) * stride > _SLOW_LIMIT:
        return None
    padding = -header.width % 8
    count, before = 0, bytes(stride)
    for start in range(0, (stride + 1) * header.height, stride + 1):
        before = _unfilter(pixels[start], pixels[start + 1 : start + 1 + stride], before, channels)
        # the bits are the indices of a palette of two colors, the first of which is transparent
        count += (
            (int.from_bytes(before, "big") >> padding).bit_count()
            if is_packed
            else header.width - before[channels - 1 :: channels].count(0)
        )
    return str(count)


def _unfilter(kind: int, line: bytes, above: bytes, distance: int) -> bytes:
    """Return the bytes of a line before its filter; filters 1 and 2, the most frequent ones, add whole lines.

    Raises:
        ValueError: there is no such filter.
    """
    if kind == 0:
        return line
    if kind in {1, 2}:
        size = len(line)
        low, plain = int.from_bytes(b"\x7f" * size, "big"), int.from_bytes(line, "big")
        if kind == 2:
            return _add(plain, int.from_bytes(above, "big"), low).to_bytes(size, "big")
        shift = 8 * distance
        while shift < 8 * size:  # sums of 2, 4, 8 and so on bytes to the left
            plain, shift = _add(plain, plain >> shift, low), 2 * shift
        return plain.to_bytes(size, "big")
    if kind > 4:
        raise ValueError("unknown filter")
    return _unpredicted(kind, line, above, distance)


def _add(first: int, second: int, low: int) -> int:
    """Add the bytes of two numbers, each modulo 256; `low` has all bits but the highest of each byte."""
    return ((first & low) + (second & low)) ^ ((first ^ second) & ~low)


def _unpredicted(kind: int, line: bytes, above: bytes, distance: int) -> bytes:
    plain = bytearray(line)
    for index, up in enumerate(above):
        left = plain[index - distance] if index >= distance else 0
        corner = above[index - distance] if index >= distance else 0
        plain[index] = (line[index] + _predicted(kind, left, up, corner)) & 255
    return bytes(plain)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 3:
        return (left + up) // 2
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
