"""The sizes of PNG and JPEG images as most programs write them, read from their first bytes without Pillow.

Anything unusual is left to Pillow, which is slower: another structure, a damaged one, an animation, several images in
one file, more pixels than Pillow opens, a header that is longer than the bytes at hand.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

START_BYTES = 64 * 1024  # bytes of a file that its header is looked for in
MAX_PIXELS = 2**26  # Pillow warns of more
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_COLORS = {(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3)}
_PNG_COLORS |= {(8, 4), (16, 4), (8, 6), (16, 6)}  # bits and color type
# Chunks that no reader needs to understand for the size.
_PNG_PLAIN = {b"PLTE", b"sRGB", b"cHRM", b"sBIT", b"bKGD", b"tIME", b"hIST"}
_JPEG_START = b"\xff\xd8\xff"
_JPEG_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_JPEG_SCAN = 0xDA
_JPEG_PLAIN = {0xC4, 0xDB, 0xDD, 0xE0, 0xFE}  # tables, restart interval, JFIF, comment
_JPEG_EXIF = 0xE1
_JPEG_ADOBE = 0xEE
_SEGMENT = struct.Struct(">BBH")
_CHUNK = struct.Struct(">I4s")


class ImageSize(NamedTuple):
    """Media type and size in pixels."""

    mime: str
    width: int
    height: int


def read_size(start: bytes) -> ImageSize | None:
    """Return the size of an image by the first bytes of its file, None if that is for Pillow to say."""
    size = None
    if start.startswith(_PNG):
        size = _png_size(start)
    elif start.startswith(_JPEG_START):
        size = _jpeg_size(start)
    return size if size is not None and 0 < size.width * size.height <= MAX_PIXELS else None


def _png_size(start: bytes) -> ImageSize | None:
    """Read a PNG's chunks up to its pixels; a chunk is its length, name, content and checksum."""
    size = None
    position = len(_PNG)
    while position + 12 <= len(start):
        length, name = _CHUNK.unpack_from(start, position)
        if name == b"IDAT":
            return size
        content, end = position + 8, position + 8 + length
        if end + 4 > len(start) or zlib.crc32(start[position + 4 : end]) != int.from_bytes(start[end : end + 4], "big"):
            return None
        if size is None and name == b"IHDR" and length == 13:
            width, height, bits, color, compression, filters, interlace = struct.unpack_from(">IIBBBBB", start, content)
            if (bits, color) not in _PNG_COLORS or compression or filters or interlace > 1:
                return None
            size = ImageSize("image/png", width, height)
        elif size is None or name not in _PNG_PLAIN:
            return None
        position = end + 4
    return None


def _jpeg_size(start: bytes) -> ImageSize | None:
    """Read a JPEG's segments up to its pixels; a segment is a marker, its length and its content."""
    size = None
    position = 2
    while position + 4 <= len(start):
        lead, marker, length = _SEGMENT.unpack_from(start, position)
        content, end = position + 4, position + 2 + length
        if lead != 0xFF or length < 2 or end > len(start):
            return None
        if marker == _JPEG_SCAN:
            return size
        if marker in _JPEG_FRAMES and size is None and length >= 8:
            bits, height, width, components = struct.unpack_from(">BHHB", start, content)
            if bits != 8 or components not in {1, 3, 4} or length != 8 + 3 * components:
                return None
            size = ImageSize("image/jpeg", width, height)
        elif not _is_plain(marker, start[content : content + 6]):
            return None
        position = end
    return None


def _is_plain(marker: int, content: bytes) -> bool:
    """Return whether a segment has nothing to do with the size, and does not make the file one of another type."""
    return (
        marker in _JPEG_PLAIN
        or (marker == _JPEG_EXIF and content == b"Exif\0\0")
        or (marker == _JPEG_ADOBE and content[:5] == b"Adobe")
    )
