"""One line of a journal: ``crc32 SP json LF``.

A line that was cut short (full disk, process killed inside the write) has no line end; what another thread wrote next
follows it directly. So a damaged line is searched for a complete frame at its end.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zlib import crc32

_START = re.compile(rb'[0-9a-f]{8} \{"')
_PREFIX = 9  # eight hexadecimal digits and a space


class Line(NamedTuple):
    """One line: its JSON bytes, or None when all of it is damaged."""

    body: bytes | None
    raw: bytes


def encode(body: bytes) -> bytes:
    """Frame one JSON object; `body` must hold no line feed (JSON text never does)."""
    return b"%08x %b\n" % (crc32(body), body)


def _checked(frame: bytes) -> bytes | None:
    """Return the body of a frame whose checksum is right, else None."""
    body = frame[_PREFIX:]
    return body if frame[:_PREFIX] == b"%08x " % crc32(body) else None


def decode(raw: bytes) -> Line:
    """Decode one line, without its line feed."""
    body = _checked(raw)
    if body is not None:
        return Line(body, raw)
    for match in _START.finditer(raw, 1):
        body = _checked(raw[match.start() :])
        if body is not None:
            return Line(body, raw)
    return Line(None, raw)
