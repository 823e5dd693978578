"""Masks: COCO's run lengths made the bitmaps of Supervisely's format, which are small PNG files inside the JSON."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from typing import Any

PIXELS = 1 << 28  # of a mask, whatever the size of its image
_LONGEST_RUN = 60  # bits


def runs_of(text: str) -> list[int]:
    """The run lengths in COCO's text: digits of five bits, the lowest first, from the fourth on as differences.

    Raises:
        ValueError: it is no such text.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text.encode("ascii"):
        digit = letter - 48
        if not 0 <= digit < 64:
            raise ValueError("it holds letters that stand for no run")
        value |= (digit & 31) << shift
        shift += 5
        if shift > _LONGEST_RUN:
            raise ValueError("it holds a run that no image is long enough for")
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("it ends within a run")
    return runs


def rows_of(runs: Sequence[int], width: int, height: int) -> list[bytes]:
    """The rows of a mask, a byte of 0 or 1 for a pixel, from runs down the columns that begin with zeros.

    Raises:
        ValueError: the runs do not make an image of that size.
    """
    if width * height > PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels is too large: {PIXELS} pixels are the most")
    if any(not isinstance(run, int) or run < 0 for run in runs) or sum(runs) != width * height:
        raise ValueError(f"its runs do not make {width} x {height} pixels")
    columns = b"".join(bytes([place % 2]) * run for place, run in enumerate(runs))
    return [columns[row::height] for row in range(height)]


def bitmap(rows: Sequence[bytes]) -> dict[str, Any] | None:
    """A mask in Supervisely's format, cut to what is in it; None for an empty one."""
    filled = [place for place, row in enumerate(rows) if 1 in row]
    if not filled:
        return None
    cut = rows[filled[0] : filled[-1] + 1]
    left = min(row.index(1) for row in cut if 1 in row)
    right = max(row.rindex(1) for row in cut if 1 in row) + 1
    data = base64.b64encode(zlib.compress(_png([row[left:right] for row in cut]))).decode()
    return {"geometryType": "bitmap", "bitmap": {"data": data, "origin": [left, filled[0]]}}


def _png(rows: Sequence[bytes]) -> bytes:
    """A picture of two colours, the first of them transparent."""
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = b"".join(b"\0" + row for row in rows)
    chunks = ((b"IHDR", head), (b"PLTE", bytes([0, 0, 0, 255, 255, 255])), (b"tRNS", b"\0\xff"))
    body = b"".join(_chunk(*chunk) for chunk in (*chunks, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
