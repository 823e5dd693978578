"""One line of a journal: ``crc32 SP json LF``.

A line that was cut short (the disk was full, the process was killed inside the write) has no line end of its own;
what another thread wrote next follows it directly. So a damaged line is searched for a whole frame at its end.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zlib import crc32

_START = re.compile(rb'[0-9a-f]{8} \{"')
_PREFIX = 9  # eight hexadecimal digits and a space


class Line(NamedTuple):
    """One line: its JSON bytes, or None when the whole line is damaged."""

    body: bytes | None
    raw: bytes


def encode(body: bytes) -> bytes:
    """Frame one JSON object; `body` must hold no line feed (JSON text never does)."""
    return b"%08x %b\n" % (crc32(body), body)


def _whole(frame: bytes) -> bytes | None:
    body = frame[_PREFIX:]
    return body if frame[:_PREFIX] == b"%08x " % crc32(body) else None


def decode(raw: bytes) -> Line:
    """Take one line (without its line feed) apart."""
    body = _whole(raw)
    if body is not None:
        return Line(body, raw)
    for match in _START.finditer(raw, 1):
        body = _whole(raw[match.start() :])
        if body is not None:
            return Line(body, raw)
    return Line(None, raw)
