"""Conversion between COCO's run-length encoded masks and the bitmaps of Supervisely's format, PNG files in the JSON."""

from __future__ import annotations

import base64
import importlib
import io
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing

MAX_PIXELS = 1 << 28  # of a mask, whatever the size of its image
_MAX_RUN_BITS = 60
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def decode_runs(text: str) -> list[int]:
    """Decode COCO's compressed run lengths.

    A run is written in digits of five bits, the lowest first. From the fourth run on, the number is the difference from
    the run before the previous one.

    Raises:
        ValueError: the text is not valid.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii"):
        digit = letter - 48
        if not 0 <= digit < 64:
            raise ValueError("its run lengths contain an invalid character")
        value |= (digit & 31) << shift
        shift += 5
        if shift > _MAX_RUN_BITS:
            raise ValueError("its run lengths contain a run longer than any image")
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("its run lengths end within a run")
    return runs


def decode_mask(runs: Sequence[int], width: int, height: int) -> list[bytes]:
    """Return the rows of a mask, one byte of 0 or 1 per pixel; the runs go down the columns and start with zeros.

    Raises:
        ValueError: the runs do not add up to an image of that size.
    """
    if width * height > MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels is too large: at most {MAX_PIXELS} pixels are supported")
    if any(not isinstance(run, int) or run < 0 for run in runs) or sum(runs) != width * height:
        raise ValueError(f"its runs do not add up to {width} x {height} pixels")
    columns = b"".join(bytes([index % 2]) * run for index, run in enumerate(runs))
    return [columns[row::height] for row in range(height)]


def bitmap(rows: Sequence[bytes]) -> dict[str, Any] | None:
    """Return a mask in Supervisely's format, cropped to its bounding box; None for an empty mask."""
    filled = [index for index, row in enumerate(rows) if 1 in row]
    if not filled:
        return None
    cropped = rows[filled[0] : filled[-1] + 1]
    left = min(row.index(1) for row in cropped if 1 in row)
    right = max(row.rindex(1) for row in cropped if 1 in row) + 1
    data = base64.b64encode(zlib.compress(_png([row[left:right] for row in cropped]))).decode()
    return {"geometryType": "bitmap", "bitmap": {"data": data, "origin": [left, filled[0]]}}


def size_of(data: str) -> tuple[int, int]:
    """Return width and height of a mask of Supervisely's format."""
    width, height = struct.unpack(">II", zlib.decompressobj().decompress(base64.b64decode(data), 24)[16:24])
    return width, height


def encode_mask(data: str, origin: Sequence[int], width: int, height: int, code: int = 1) -> list[int]:
    """Return a mask of Supervisely's format as COCO's runs in an image, without the pixels outside of it.

    Args:
        data: the mask.
        origin: its position in the image.
        width, height: size of the image.
        code: orientation of EXIF by which the mask's own pixels are turned.

    Raises:
        ServerExtraMissing: Pillow is not installed.
        ValueError: the mask is not valid.
    """
    columns = _columns(data, code)
    left, top = (int(value) for value in origin)
    filled: list[tuple[int, int]] = []  # start and end in the image, read down its columns
    for x, column in enumerate(columns, left):
        for match in re.finditer(rb"[^\0]+", column) if 0 <= x < width else ():
            start, end = max(top + match.start(), 0), min(top + match.end(), height)
            if start < end:
                filled.append((x * height + start, x * height + end))
    runs: list[int] = []
    position = 0
    for start, end in filled:
        if runs and start == position:  # from the end of a column to the next one
            runs[-1] += end - start
        else:
            runs += [start - position, end - start]
        position = end
    return [*runs, width * height - position]


def _columns(data: str, code: int) -> list[bytes]:
    """Return the columns of a mask, a byte per pixel, 0 for those that are not part of it."""
    try:
        pillow: Any = importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ServerExtraMissing(f"reading masks needs Pillow: {install('server')}") from error
    try:
        image = pillow.open(io.BytesIO(zlib.decompress(base64.b64decode(data))))
        if "A" in image.mode or "transparency" in image.info:
            image = image.convert("RGBA").getchannel("A")
        image = image.convert("L")
        if code > 1:
            image = image.transpose(pillow.Transpose[_TURNS[code]])
        image = image.transpose(pillow.Transpose.TRANSPOSE)
    except (OSError, zlib.error) as error:
        raise ValueError(f"a mask is not valid ({error})") from error
    pixels = image.tobytes()
    return [pixels[start : start + image.width] for start in range(0, len(pixels), image.width)]


def _png(rows: Sequence[bytes]) -> bytes:
    """Encode an image of two colors, the first of them transparent."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = b"".join(b"\0" + row for row in rows)
    chunks = ((b"IHDR", head), (b"PLTE", bytes([0, 0, 0, 255, 255, 255])), (b"tRNS", b"\0\xff"))
    body = b"".join(_chunk(*chunk) for chunk in (*chunks, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
