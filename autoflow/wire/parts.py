"""One part of a multipart upload, as both ends see it."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple


class Part(NamedTuple):
    """A plain field (text), or a file with its name and content; parts keep the order sent."""

    field: str
    value: str | BinaryIO
    filename: str | None = None
    content_type: str | None = None
